/**
 * Steps of kept values: the largest |u| that each tensor keeps, found on the GPU in one pass; where
 * they are rescaled, gains from the energies of what it keeps and of all, too.
 */
import { type BufferScope } from '@/gpu/buffers';
import { type PassRecorder } from '@/gpu/recorder';
import { normGain, rescaled } from '@/codecs/norm-gain';
import { type KeptScales, type ValueCodec, type ValueScale } from '@/codecs/value-codec';
import { VALUE_CODECS } from '@/codecs/value-codecs';
import { type ValueDtype } from '@/tensor/dtype';
import {
  deltaCheckpoints,
  type DeltaKernels,
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

/** Where the dtype has no steps and nothing is rescaled, nothing is done. */
export async function keptScales(
  context: GroupContext,
  selection: SelectionFacts,
  { valueDtype, rescaled: isRescaled = false }: StoredValues,
): Promise<KeptScales> {
  const { scaleOf } = VALUE_CODECS[valueDtype];
  if (scaleOf === null && !isRescaled) return { scales: null, gains: null };
  const { handle } = context;
  const [largest, stats] = await Promise.all([
    scaleOf && deltaKernels(context, KERNELS.keptMax, selection),
    isRescaled
      ? deltaKernels(context, withBarriers(KERNELS.stats, context.counting.tally), selection)
      : null,
  ]);
  return handle.buffers.lend(async (scope) => {
    const found = await runWork(context, 'looking for the largest values', 'kept max', (first) => {
      const passes = [
        largest && blockPass(context, selection, scope, largest, LARGEST),
        stats && blockPass(context, selection, scope, stats, ENERGIES),
      ].filter((pass) => pass !== null);
      for (const { records } of passes) first.clear(records);
      const each = (recorder: PassRecorder, index: number): void => {
        for (const pass of passes) pass.dispatch(recorder, index);
      };
      const ranges = passes.map(({ records }) => ({ source: records, byteLength: records.size }));
      return { steps: [{ checkpoints: deltaCheckpoints(selection), each }], ranges };
    });
    const gains = isRescaled ? gainsFrom(context, found.pop()!) : null;
    const plain = scaleOf && scalesFrom(context, found.pop()!, scaleOf);
    const scales = plain && gains ? plain.map((scale, t) => rescaled(scale, gains[t]!)) : plain;
    return { scales, gains };
  });
}

/** What a kernel writes of each block, and the name it binds it by. */
const LARGEST = { label: 'largest of each block', name: 'block_max', words: 1 };
const ENERGIES = { label: 'energies of each block', name: 'block_stats', words: STATS_WORDS };

/** Call inside `runWork`'s plan. */
function blockPass(
  context: GroupContext,
  selection: SelectionFacts,
  scope: BufferScope,
  kernels: DeltaKernels,
  { label, name, words }: typeof LARGEST,
) {
  const { table } = context;
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  const records = scope.create(label, 4 * words * table.blockCount, usage);
  const dispatch = (recorder: PassRecorder, index: number): void => {
    const kernel = kernels(index);
    const delta = deltaResources(context, kernel, selection, index);
    const resources = { ...delta, states: selection.states, [name]: records };
    recorder.dispatch(kernel, resources, table.ofChunk[index]!.count);
  };
  return { records, dispatch };
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
