/** Steps of kept values: the largest |u| that each tensor keeps, found on the GPU in one pass. */
import { type BufferScope } from '@/gpu/buffers';
import { type PassRecorder } from '@/gpu/recorder';
import { type ValueCodec, type ValueScale } from '@/codecs/value-codec';
import { VALUE_CODECS } from '@/codecs/value-codecs';
import { type ValueDtype } from '@/tensor/dtype';
import {
  deltaCheckpoints,
  deltaKernels,
  deltaResources,
  type GroupContext,
} from '@/kernels/weights/group-context';
import { type SelectionFacts } from './select';
import { KERNELS } from '@/kernels/weights/wgsl';
import { runWork } from '@/kernels/weights/work';

/** u32 words of a Scale (shaders/shared/value_i8.wgsl). */
export const SCALE_WORDS = 4;
/** Bytes that the pass counts with, a block. */
export const BLOCK_MAX_BYTES = 4;

/** By tensor; one that keeps none has step 0. Null where the dtype has no steps: nothing is done. */
export async function keptScales(
  context: GroupContext,
  selection: SelectionFacts,
  valueDtype: ValueDtype,
): Promise<ValueScale[] | null> {
  const { scaleOf } = VALUE_CODECS[valueDtype];
  if (scaleOf === null) return null;
  const { handle, table } = context;
  const kernels = await deltaKernels(context, KERNELS.keptMax, selection);
  const byteLength = BLOCK_MAX_BYTES * table.blockCount;
  return handle.buffers.lend(async (scope) => {
    const [bytes] = await runWork(
      context,
      'looking for the largest values',
      'kept max',
      (first) => {
        const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
        const source = scope.create('largest of each block', byteLength, usage);
        first.clear(source);
        const each = (recorder: PassRecorder, index: number): void => {
          const kernel = kernels(index);
          const delta = deltaResources(context, kernel, selection, index);
          const resources = { ...delta, states: selection.states, block_max: source };
          recorder.dispatch(kernel, resources, table.ofChunk[index]!.count);
        };
        const steps = [{ checkpoints: deltaCheckpoints(selection), each }];
        return { steps, ranges: [{ source, byteLength }] };
      },
    );
    return scalesFrom(context, bytes!, scaleOf);
  });
}

/** Keys order as magnitudes do, and each is the float it stands for. */
function scalesFrom(
  { table }: GroupContext,
  blockMax: ArrayBuffer,
  scaleOf: NonNullable<ValueCodec['scaleOf']>,
): ValueScale[] {
  const keys = new Uint32Array(blockMax);
  return table.ofTensor.map(({ first, count }) => {
    const largest = new Uint32Array(1);
    for (const key of keys.subarray(first, first + count)) {
      if (key > largest[0]!) largest[0] = key;
    }
    return scaleOf(new Float32Array(largest.buffer)[0]!);
  });
}

/**
 * Scales as shaders read them; the third word of each is the zero that compilers can not know. Call
 * inside `withErrorScopes`.
 */
export function scaleBuffer(
  { handle }: GroupContext,
  scope: BufferScope,
  scales: readonly ValueScale[],
): GPUBuffer {
  const words = new Float32Array(SCALE_WORDS * scales.length);
  scales.forEach(({ inverse, step }, tensor) => {
    words.set([inverse, step], SCALE_WORDS * tensor);
  });
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
  const buffer = scope.create('steps of values', words.byteLength, usage);
  handle.device.queue.writeBuffer(buffer, 0, words);
  return buffer;
}
