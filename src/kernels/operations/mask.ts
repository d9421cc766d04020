/** Kept entries as one bit each. */
import { type PassRecorder } from '@/gpu/recorder';
import { BLOCK_PARTS } from '@/kernels/weights/blocks';
import {
  deltaCheckpoints,
  deltaKernels,
  deltaResources,
  type GroupContext,
} from '@/kernels/weights/group-context';
import { type SelectionFacts } from './select';
import { KERNELS } from '@/kernels/weights/wgsl';
import { runWork } from '@/kernels/weights/work';

/**
 * One pass.
 *
 * @returns bit i & 31 of word i >> 5 set where flat entry i is kept
 */
export async function keptBits(
  context: GroupContext,
  selection: SelectionFacts,
): Promise<Uint32Array> {
  const { handle, spec, table, maps } = context;
  const kernels = await deltaKernels(context, KERNELS.mask, selection);
  const mask = new Uint32Array(Math.ceil(spec.layout.elementCount / 32));
  return handle.buffers.lend(async (scope) => {
    const chunks = await runWork(context, 'marking kept entries', 'mask', (first) => {
      const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
      const ranges = maps.map(({ paddedCount }) => {
        const byteLength = 4 * Math.ceil(paddedCount / 32);
        const source = scope.create('kept bits', byteLength, usage);
        first.clear(source);
        return { source, byteLength };
      });
      const each = (recorder: PassRecorder, index: number): void => {
        const kernel = kernels(index);
        const delta = deltaResources(context, kernel, selection, index);
        const resources = { ...delta, states: selection.states, kept_bits: ranges[index]!.source };
        recorder.dispatch(kernel, resources, BLOCK_PARTS * table.ofChunk[index]!.count);
      };
      return { steps: [{ checkpoints: deltaCheckpoints(selection), each }], ranges };
    });
    chunks.forEach((bits, c) => {
      for (const { bufferStart, flatStart, elementCount } of maps[c]!.pieces) {
        // Padding behind the piece is not kept, so whole bytes may be taken.
        const part = new Uint8Array(bits, bufferStart / 8, Math.ceil(elementCount / 8));
        orBits(mask, flatStart, part);
      }
    });
    return mask;
  });
}

/** Ors a string of bits into another from bit `start` on. */
function orBits(target: Uint32Array, start: number, bits: Uint8Array): void {
  const shift = start % 32;
  bits.forEach((byte, i) => {
    if (byte === 0) return;
    const word = Math.floor(start / 32) + ((shift + 8 * i) >>> 5);
    const at = (shift + 8 * i) % 32;
    target[word]! |= byte << at;
    if (at > 24) target[word + 1]! |= byte >>> (32 - at);
  });
}
