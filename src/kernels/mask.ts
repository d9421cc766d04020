/** Kept entries as one bit each. */
import { readBack } from '@/gpu/readback';
import { PassRecorder } from '@/gpu/recorder';
import { deltaResources, type GroupContext } from './group-context';
import { type SelectionFacts } from './select';
import { KERNELS } from './sources';

/** @returns bit i & 31 of word i >> 5 set where flat entry i is kept */
export async function keptBits(
  context: GroupContext,
  selection: SelectionFacts,
): Promise<Uint32Array> {
  const { handle, spec, table } = context;
  const kernel = await handle.pipelines.get(KERNELS.mask);
  const mask = new Uint32Array(Math.ceil(spec.layout.elementCount / 32));
  return handle.buffers.lend(async (scope) => {
    const chunks = await readBack(handle, 'marking kept entries', () => {
      const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
      const recorder = new PassRecorder(handle, 'mask');
      const ranges = spec.chunks.map(({ elementCount }) => {
        const byteLength = 4 * Math.ceil(elementCount / 32);
        const source = scope.create('kept bits', byteLength, usage);
        recorder.clear(source);
        return { source, byteLength };
      });
      spec.chunks.forEach(({ index }) => {
        const delta = deltaResources(context, kernel, selection, index);
        const resources = { ...delta, states: selection.states, kept_bits: ranges[index]!.source };
        recorder.dispatch(kernel, resources, table.ofChunk[index]!.count);
      });
      recorder.endPass();
      return { encoder: recorder.encoder, ranges };
    });
    chunks.forEach((bytes, c) => {
      orBits(mask, spec.chunks[c]!.flatStart, new Uint32Array(bytes));
    });
    return mask;
  });
}

/** Ors a bit string into another from bit `start` on; its unused high bits are zero. */
function orBits(target: Uint32Array, start: number, bits: Uint32Array): void {
  const word = Math.floor(start / 32);
  const shift = start % 32;
  for (let i = 0; i < bits.length; i++) {
    target[word + i]! |= bits[i]! << shift;
    const carry = shift === 0 ? 0 : bits[i]! >>> (32 - shift);
    if (carry !== 0) target[word + i + 1]! |= carry;
  }
}
