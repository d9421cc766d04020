/**
 * Adds decoded entries to weights on the GPU. Entries go over in windows of one buffer, each of which
 * lies in a stretch of one tensor that can be bound; 8 bytes an entry are uploaded.
 */
import { withErrorScopes } from '@/gpu/error-scopes';
import { PassRecorder } from '@/gpu/recorder';
import { type AddedEntries } from '@/tensor/engine';
import { type GroupContext } from '@/kernels/weights/group-context';
import { stagingBytes } from '@/kernels/weights/staging';
import { KERNELS } from '@/kernels/weights/wgsl';

const ENTRY_WORDS = 2;
/** Invocations of a workgroup (shaders/shared/index.wgsl). */
const WORKGROUP_SIZE = 256;

/** Entries [from, to) of a tensor, and where the stretch that is bound for them begins. */
export interface EntryWindow {
  readonly from: number;
  readonly to: number;
  readonly firstElement: number;
}

/**
 * @param buffers by tensor of the layout, float32
 * @throws PeruError `out-of-memory`, `device-lost` or `internal`
 */
export async function addToBuffers(
  context: GroupContext,
  buffers: readonly GPUBuffer[],
  entries: Iterable<AddedEntries>,
): Promise<void> {
  const { handle, maps } = context;
  const kernel = await handle.pipelines.get(KERNELS.addEntries);
  const { limits, queue } = handle.device;
  const windowBytes = stagingBytes(maps);
  const most = {
    entries: Math.floor(windowBytes / (4 * ENTRY_WORDS)),
    elements: Math.floor(limits.maxStorageBufferBindingSize / 4),
    alignElements: limits.minStorageBufferOffsetAlignment / 4,
  };
  await handle.buffers.lend(async (scope) => {
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
    let source: GPUBuffer | null = null;
    for (const { tensor, positions, values } of entries) {
      const buffer = buffers[tensor]!;
      await withErrorScopes(handle, 'adding kept entries', () => {
        source ??= scope.create('encoded entries', windowBytes, usage);
        for (const { from, to, firstElement } of entryWindows(positions, most)) {
          queue.writeBuffer(source, 0, packedEntries(positions, values, from, to, firstElement));
          const recorder = new PassRecorder(handle, 'add entries');
          const offset = 4 * firstElement;
          const size = Math.min(buffer.size - offset, 4 * most.elements);
          const resources = {
            entries: { buffer: source, offset: 0, size: 4 * ENTRY_WORDS * (to - from) },
            weights: { buffer, offset, size },
            params: context.params.get(kernel, { entry_count: to - from }),
          };
          recorder.dispatch(kernel, resources, Math.ceil((to - from) / WORKGROUP_SIZE));
          recorder.submit();
        }
      });
    }
  });
}

/** Cuts entries so that each window fits the buffer, and its positions what can be bound. */
export function entryWindows(
  positions: Uint32Array,
  most: { readonly entries: number; readonly elements: number; readonly alignElements: number },
): EntryWindow[] {
  const windows: EntryWindow[] = [];
  for (let from = 0; from < positions.length;) {
    const firstElement = positions[from]! - (positions[from]! % most.alignElements);
    let to = from + 1;
    while (
      to < positions.length &&
      to - from < most.entries &&
      positions[to]! - firstElement < most.elements
    ) {
      to += 1;
    }
    windows.push({ from, to, firstElement });
    from = to;
  }
  return windows;
}

function packedEntries(
  positions: Uint32Array,
  values: Float32Array,
  from: number,
  to: number,
  firstElement: number,
): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(ENTRY_WORDS * (to - from));
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = from; i < to; i++) {
    words[ENTRY_WORDS * (i - from)] = positions[i]! - firstElement;
    words[ENTRY_WORDS * (i - from) + 1] = bits[i]!;
  }
  return words;
}
