/** The engine on the visitor's GPU. */
import { type DeviceHandle } from '@/gpu/device';
import { type AdapterReport, type Engine } from '@/tensor/engine';
import { fault } from './chunk-buffers';
import { GpuGroup } from './group';
import { type Tally } from './group-context';
import { histogramSource } from './histogram';
import { KERNELS } from './sources';

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

/**
 * Makes an engine on an open device. `dispose` destroys the device too.
 *
 * @param tally how histograms count; default: what suits the adapter
 */
export function createGpuEngine(
  handle: DeviceHandle,
  tally: Tally = suitableTally(handle.adapter),
): Engine {
  const groups = new Set<GpuGroup>();
  return {
    kind: 'webgpu',
    adapter: handle.adapter,
    lost: handle.lost,
    maxChunkElements: (taskCount) =>
      maxChunkElements(handle.device.limits, handle.adapter, taskCount),
    createGroup(spec) {
      const limit = maxChunkElements(handle.device.limits, handle.adapter, spec.taskCount);
      const largest = spec.chunks.reduce((most, chunk) => Math.max(most, chunk.elementCount), 0);
      if (largest > limit) {
        throw fault(`A chunk of ${largest} elements was planned; this device takes ${limit}.`);
      }
      const group: GpuGroup = new GpuGroup(handle, spec, tally, () => groups.delete(group));
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
 * Compiles every kernel ahead of its first use, so that it happens while files still load. A
 * failure is kept to itself: whoever needs the kernel meets it again.
 */
export async function warmUpKernels({ pipelines, adapter }: DeviceHandle): Promise<void> {
  const unused = histogramSource(suitableTally(adapter) === 'direct' ? 'workgroup' : 'direct');
  const sources = Object.values(KERNELS).filter((source) => source !== unused);
  await Promise.allSettled(sources.map((source) => pipelines.get(source)));
}

function suitableTally({ fallback }: AdapterReport): Tally {
  return fallback ? 'direct' : 'workgroup';
}

/**
 * Most elements of a chunk. With all values in F32, the widest dtype, the arena of all tasks fits
 * one buffer and one binding, and a merge, which reads base and tasks and writes theta*, fits the
 * bytes of one dispatch; the other kernels move fewer.
 */
export function maxChunkElements(
  limits: Pick<GPUSupportedLimits, 'maxStorageBufferBindingSize' | 'maxBufferSize'>,
  adapter: Pick<AdapterReport, 'fallback'>,
  taskCount: number,
): number {
  const buffer = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize);
  const dispatch = adapter.fallback ? SOFTWARE_DISPATCH_BYTES : DISPATCH_BYTES;
  const elements = Math.min(
    buffer / (F32_BYTES * Math.max(1, taskCount)),
    dispatch / (F32_BYTES * (taskCount + 2)),
    PART_BYTES / F32_BYTES,
  );
  return Math.max(CHUNK_STEP, Math.floor(elements / CHUNK_STEP) * CHUNK_STEP);
}
