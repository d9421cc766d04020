/**
 * Steps of kept values: the largest |u| that each tensor keeps, found on the GPU in one pass; where
 * they are rescaled, the energies of what it keeps and of all, too.
 */
import { type BufferScope } from '@/gpu/buffers';
import { type PassRecorder } from '@/gpu/recorder';
import { normGain, rescaled } from '@/codecs/norm-gain';
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
import { KERNELS, withBarriers } from '@/kernels/weights/wgsl';
import { runWork } from '@/kernels/weights/work';

/** u32 words of a Scale (shaders/shared/value_i8.wgsl). */
export const SCALE_WORDS = 4;
/** Bytes that the pass counts with, a block: the largest key, and a BlockStats (shaders/stats.wgsl). */
export const BLOCK_SCALE_BYTES = 4 + 16;
const STATS_WORDS = 4;

/** How kept values are stored. */
export interface StoredValues {
  readonly valueDtype: ValueDtype;
  readonly rescaled?: boolean | undefined;
}

/** By tensor; one that keeps none has step 0. Null where the dtype has no steps: nothing is done. */
export async function keptScales(
  context: GroupContext,
  selection: SelectionFacts,
  { valueDtype, rescaled: isRescaled = false }: StoredValues,
): Promise<ValueScale[] | null> {
  const { scaleOf } = VALUE_CODECS[valueDtype];
  if (scaleOf === null) return null;
  const { handle, table } = context;
  const [largest, stats] = await Promise.all([
    deltaKernels(context, KERNELS.keptMax, selection),
    isRescaled
      ? deltaKernels(context, withBarriers(KERNELS.stats, context.counting.tally), selection)
      : null,
  ]);
  const maxBytes = 4 * table.blockCount;
  const statsBytes = 4 * STATS_WORDS * table.blockCount;
  return handle.buffers.lend(async (scope) => {
    const [keys, energies] = await runWork(
      context,
      'looking for the largest values',
      'kept max',
      (first) => {
        const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
        const blockMax = scope.create('largest of each block', maxBytes, usage);
        const blockStats = stats && scope.create('energies of each block', statsBytes, usage);
        first.clear(blockMax);
        const { states } = selection;
        const each = (recorder: PassRecorder, index: number): void => {
          const { count } = table.ofChunk[index]!;
          const kernel = largest(index);
          const delta = deltaResources(context, kernel, selection, index);
          recorder.dispatch(kernel, { ...delta, states, block_max: blockMax }, count);
          if (!stats || !blockStats) return;
          const own = deltaResources(context, stats(index), selection, index);
          recorder.dispatch(stats(index), { ...own, states, block_stats: blockStats }, count);
        };
        const steps = [{ checkpoints: deltaCheckpoints(selection), each }];
        const ranges = [{ source: blockMax, byteLength: maxBytes }];
        if (blockStats) ranges.push({ source: blockStats, byteLength: statsBytes });
        return { steps, ranges };
      },
    );
    const scales = scalesFrom(context, keys!, scaleOf);
    if (!energies) return scales;
    const gains = gainsFrom(context, energies);
    return scales.map((scale, tensor) => rescaled(scale, gains[tensor]!));
  });
}

/** By tensor; float32 sums a block, added in float64. */
function gainsFrom({ table }: GroupContext, blockStats: ArrayBuffer): number[] {
  const words = new Float32Array(blockStats);
  return table.ofTensor.map(({ first, count }) => {
    let [kept, total] = [0, 0];
    for (let at = STATS_WORDS * first; at < STATS_WORDS * (first + count); at += STATS_WORDS) {
      kept += words[at + 2]!;
      total += words[at + 3]!;
    }
    return normGain(kept, total);
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
