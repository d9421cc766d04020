/** The engine on the visitor's GPU. */
import { invariantError } from '@/core/errors';
import { type DeviceHandle } from '@/gpu/device';
import { choosePlan } from '@/tensor/choose-plan';
import { type FloatDtype } from '@/tensor/dtype';
import { type AdapterReport, type Engine } from '@/tensor/engine';
import { chunkMaps } from '@/kernels/weights/chunk-map';
import { GpuGroup } from './group';
import { type Counting, type Tally } from '@/kernels/weights/group-context';
import { GpuLowRankGroup } from '@/kernels/low-rank/low-rank';
import { groupNeeds } from './memory-plan';
import { warmUpDtypes } from './warm-up';

/**
 * Bytes one dispatch reads and writes at most, so that it stays below about 50 ms: 1 GiB at the
 * 25 GB/s of integrated GPUs takes 43 ms; software adapters move about 1 GB/s, 32 MiB take 34 ms.
 */
const DISPATCH_BYTES = 2 ** 30;
const SOFTWARE_DISPATCH_BYTES = 32 * 2 ** 20;

/** Bytes of one checkpoint's part of a chunk at most: it is read and uploaded in one piece. */
const PART_BYTES = 256 * 2 ** 20;

/** Chunks are whole multiples of this many elements, so that cuts keep tensors aligned. */
const CHUNK_STEP = 64;
const F32_BYTES = 4;
const STREAMED_SHARE = 8;

/**
 * Entries from which a global selection counts its last two digits at once: that saves one read of
 * the data, at least 4 bytes an entry, and costs 8 MiB, clearing and summing 2^20 counts.
 */
const JOINT_FROM = 2 ** 21;

/**
 * Makes an engine on an open device. `dispose` destroys the device too.
 *
 * @param counting how histograms count; default: what suits the adapter
 */
export function createGpuEngine(
  handle: DeviceHandle,
  counting: Counting = { tally: suitableTally(handle.adapter), jointFrom: JOINT_FROM },
): Engine {
  const groups = new Set<GpuGroup | GpuLowRankGroup>();
  return {
    kind: 'webgpu',
    adapter: handle.adapter,
    lost: handle.lost,
    maxChunkElements: (taskCount, budgetBytes) =>
      maxChunkElements(handle.device.limits, handle.adapter, taskCount, budgetBytes),
    planMemory(shape, mergedDtype, budgetBytes) {
      const { minStorageBufferOffsetAlignment: align } = handle.device.limits;
      return choosePlan(groupNeeds(shape, mergedDtype, counting, align), budgetBytes);
    },
    createGroup(spec) {
      const limit = maxChunkElements(handle.device.limits, handle.adapter, spec.taskCount);
      const maps = chunkMaps(spec.layout, spec.chunks);
      const largest = maps.reduce((most, { paddedCount }) => Math.max(most, paddedCount), 0);
      if (largest > limit) {
        throw invariantError(
          `A chunk of ${largest} elements was planned; this device takes ${limit}.`,
        );
      }
      const group: GpuGroup = new GpuGroup(handle, spec, counting, () => groups.delete(group));
      groups.add(group);
      return group;
    },
    createLowRankGroup(products) {
      const group: GpuLowRankGroup = new GpuLowRankGroup(handle, products, () =>
        groups.delete(group),
      );
      groups.add(group);
      return group;
    },
    memory: () => ({
      liveBytes: handle.buffers.liveBytes,
      peakBytes: handle.buffers.peakBytes,
    }),
    dispose() {
      for (const group of groups) group.dispose();
      handle.dispose();
    },
  };
}

/**
 * Compiles the kernels for checkpoints of these dtypes ahead of their first use. Groups do so by
 * themselves while their files load; await this where compiling must be over.
 *
 * @param chunkDtypes dtype of the base, then of each task's checkpoint, for each kind of chunk
 */
export async function warmUpKernels(
  handle: DeviceHandle,
  chunkDtypes: readonly (readonly FloatDtype[])[] = [],
): Promise<void> {
  await warmUpDtypes(handle, suitableTally(handle.adapter), chunkDtypes);
}

function suitableTally({ fallback }: AdapterReport): Tally {
  return fallback ? 'direct' : 'workgroup';
}

/**
 * Most elements of a chunk. With all values in F32, the widest dtype, the arena of all tasks fits
 * one buffer and one binding, and a merge, which reads base and tasks and writes theta*, fits the
 * bytes of one dispatch; the other kernels move fewer. With a budget, what a streamed merge holds at
 * once fits an eighth of it: pages of base and tasks, those of the next chunk, and an arena.
 */
export function maxChunkElements(
  limits: Pick<GPUSupportedLimits, 'maxStorageBufferBindingSize' | 'maxBufferSize'>,
  adapter: Pick<AdapterReport, 'fallback'>,
  taskCount: number,
  budgetBytes = Infinity,
): number {
  const buffer = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize);
  const dispatch = adapter.fallback ? SOFTWARE_DISPATCH_BYTES : DISPATCH_BYTES;
  const elements = Math.min(
    buffer / (F32_BYTES * Math.max(1, taskCount)),
    dispatch / (F32_BYTES * (taskCount + 2)),
    PART_BYTES / F32_BYTES,
    budgetBytes / STREAMED_SHARE / (F32_BYTES * (3 * taskCount + 2)),
  );
  return Math.max(CHUNK_STEP, Math.floor(elements / CHUNK_STEP) * CHUNK_STEP);
}
