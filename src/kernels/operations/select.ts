/** Exact top k of a task vector's magnitudes, by radix select, without a readback. */
import { type BufferScope } from '@/gpu/buffers';
import { type Kernel } from '@/gpu/pipelines';
import { readBack } from '@/gpu/readback';
import { PassRecorder } from '@/gpu/recorder';
import { type Scope, type Selection } from '@/tensor/engine';
import { PeruError } from '@/core/errors';
import { keptCount } from '@/tensor/kept-count';
import { type Wanted } from '@/tensor/page-stream';
import {
  deltaCheckpoints,
  type DeltaKernels,
  deltaKernels,
  deltaResources,
  type DeltaSource,
  type GroupContext,
  scopeSizes,
} from '@/kernels/weights/group-context';
import {
  countDigit,
  createCounts,
  DIGITS,
  type HistogramCache,
  histogramSource,
  JOINT_DIGIT,
  jointHistogramSource,
} from './histogram';
import { WORKGROUP_SIZE } from '@/kernels/weights/blocks';
import { KERNELS, withBarriers } from '@/kernels/weights/wgsl';
import { runWork, type Step, zipSteps } from '@/kernels/weights/work';

/** u32 words of a ScopeState (shaders/shared/scope.wgsl). */
export const STATE_WORDS = 6;
/** Workgroups of shaders/select_fold.wgsl: 1024 sums, sixteen invocations each. */
const FOLD_GROUPS = (1024 * 16) / WORKGROUP_SIZE;
const ALL_TIES = 0xffff_ffff;

/** Thresholds of every scope, on the GPU. */
export interface SelectionFacts extends Omit<Selection, 'dispose'> {
  readonly states: GPUBuffer;
}

interface SelectKernels {
  readonly histogram: DeltaKernels;
  /** Where the last two digits are counted at once. */
  readonly joint: { readonly histogram: DeltaKernels; readonly fold: Kernel } | null;
  readonly threshold: Kernel;
  readonly tieCount: DeltaKernels;
  readonly tieFind: DeltaKernels;
}

/**
 * Ranks the entries of every scope by |u| and finds the thresholds of its top `percents`.
 *
 * Passes over the data, for all percentages together: one for the first digit unless its histogram is
 * held; then one for the last two digits of a large global ranking, two else; and where ties are cut
 * one more, up to the chunk that holds the last kept tie. Dispatches for C chunks, in the order of
 * those passes: C for all, and for each percentage 1, then C + 3 or 2 C + 2, then 2 C (those of the
 * ties return at once where none are cut; where weights are streamed, they and their reads
 * are left out once no percentage needs them).
 *
 * @returns thresholds by percentage; the caller releases their `states`
 * @throws PeruError `unsupported` for a scope of 2^32 entries or more
 */
export async function selectTop(
  context: GroupContext,
  cache: HistogramCache,
  source: DeltaSource,
  percents: readonly number[],
): Promise<SelectionFacts[]> {
  const { handle } = context;
  const sizes = scopeSizes(context.spec, source.scope);
  if (sizes.some((size) => size >= 2 ** 32)) throw tooMany(source.scope);
  const kernels = await selectKernels(context, source, percents.length);
  const kept = handle.buffers.scope();
  try {
    return await handle.buffers.lend(async (scratch) => {
      let selections: SelectionFacts[] = [];
      await runWork(context, 'selecting', 'select', (recorder) => {
        selections = percents.map((percent) => {
          const keptPerScope = sizes.map((size) => keptCount(percent, size));
          return {
            ...source,
            keptPerScope,
            states: createStates(context, kept, source.scope, keptPerScope),
          };
        });
        const states = selections.map((selection) => selection.states);
        return { steps: stepsOf(context, cache, kernels, source, { recorder, states, scratch }) };
      });
      return selections;
    });
  } catch (error) {
    kept.destroy();
    throw error;
  }
}

async function selectKernels(
  context: GroupContext,
  source: DeltaSource,
  count: number,
): Promise<SelectKernels> {
  const { handle, spec, counting } = context;
  const { tally, jointFrom } = counting;
  const isJoint = source.scope === 'global' && spec.layout.elementCount >= count * jointFrom;
  const [histogram, joint, threshold, tieCount, tieFind] = await Promise.all([
    deltaKernels(context, histogramSource(tally), source),
    isJoint ? jointKernels(context, source) : null,
    handle.pipelines.get(withBarriers(KERNELS.selectThreshold, tally)),
    deltaKernels(context, KERNELS.selectTieCount, source),
    deltaKernels(context, withBarriers(KERNELS.selectTieFind, tally), source),
  ]);
  return { histogram, joint, threshold, tieCount, tieFind };
}

async function jointKernels(context: GroupContext, source: DeltaSource) {
  const [histogram, fold] = await Promise.all([
    deltaKernels(context, jointHistogramSource(context.counting.tally), source),
    context.handle.pipelines.get(KERNELS.selectFold),
  ]);
  return { histogram, fold };
}

/** What the steps of one percentage share. */
interface Parts {
  readonly context: GroupContext;
  readonly kernels: SelectKernels;
  readonly source: DeltaSource;
  readonly states: GPUBuffer;
  readonly scopeCount: number;
  /** Zeroes, for the digits after the first and for ties. */
  readonly refinements: readonly GPUBuffer[];
  readonly tieCounts: GPUBuffer;
}

/** Count and refine three digits, then cut ties: each step for all percentages. */
function stepsOf(
  context: GroupContext,
  cache: HistogramCache,
  kernels: SelectKernels,
  source: DeltaSource,
  made: { recorder: PassRecorder; states: readonly GPUBuffer[]; scratch: BufferScope },
): Step[] {
  const { recorder, scratch } = made;
  const scopeCount = scopeSizes(context.spec, source.scope).length;
  const zeroed = (length: number): GPUBuffer => {
    const counts = createCounts(context, length, scratch);
    recorder.clear(counts);
    return counts;
  };
  const lengths = kernels.joint
    ? [JOINT_DIGIT.bins, DIGITS[1].bins]
    : DIGITS.slice(1).map(({ bins }) => scopeCount * bins);
  const all = made.states.map((states): Parts => {
    const [refinements, tieCounts] = [lengths.map(zeroed), zeroed(context.table.blockCount)];
    return { context, kernels, source, states, scopeCount, refinements, tieCounts };
  });
  const first = cache.get(recorder, kernels.histogram, source);
  const refined = all.map((parts) => [
    findDigit(parts, first.counts, DIGITS[0].bins),
    ...(kernels.joint ? refineAtOnce(parts, kernels.joint) : refineByDigit(parts)),
  ]);
  return [...first.steps, ...zipSteps(refined), cutTies(context, source, all)];
}

/** @param rowMask as shaders/select_threshold.wgsl has it */
function findDigit(parts: Parts, counts: GPUBuffer, bins: number, rowMask = 0): Step {
  const { context, kernels, states, scopeCount } = parts;
  const values = { scope_count: scopeCount, bins, row_mask: rowMask };
  const once = (recorder: PassRecorder): void => {
    const params = context.params.get(kernels.threshold, values);
    recorder.dispatch(kernels.threshold, { params, counts, states }, scopeCount);
  };
  return { once };
}

/** Two reads of the data, 8 KiB of counts a scope. */
function refineByDigit(parts: Parts): Step[] {
  const { context, kernels, source, states, refinements } = parts;
  return DIGITS.slice(1).flatMap((digit, d) => {
    const counts = refinements[d]!;
    return [
      countDigit(context, kernels.histogram, source, digit, { states, counts }),
      findDigit(parts, counts, digit.bins),
    ];
  });
}

/** One read of the data; 4 MiB of counts are read once more to sum them. */
function refineAtOnce(
  parts: Parts,
  { histogram, fold }: NonNullable<SelectKernels['joint']>,
): Step[] {
  const { context, source, states, refinements } = parts;
  const [counts, sums] = [refinements[0]!, refinements[1]!];
  const [, { bins: rows }, { bins }] = DIGITS;
  const sum = (recorder: PassRecorder): void => {
    recorder.dispatch(fold, { counts, sums }, FOLD_GROUPS);
  };
  return [
    countDigit(context, histogram, source, JOINT_DIGIT, { states, counts }),
    { once: sum },
    findDigit(parts, sums, rows),
    findDigit(parts, counts, bins, rows - 1),
  ];
}

/** Chunk by chunk, so that the data behind the last kept tie of all percentages is not read. */
function cutTies(context: GroupContext, source: DeltaSource, all: readonly Parts[]): Step {
  const each = (recorder: PassRecorder, index: number): void => {
    for (const parts of all) cutChunk(parts, recorder, index);
  };
  const states = all.map((parts) => parts.states);
  const wanted = (): ReturnType<Wanted> => stillCutting(context, source.scope, states);
  return { checkpoints: deltaCheckpoints(source), each, wanted };
}

function cutChunk(parts: Parts, recorder: PassRecorder, index: number): void {
  const { context, kernels, source, states, tieCounts } = parts;
  const [tieCount, tieFind] = [kernels.tieCount(index), kernels.tieFind(index)];
  const counted = deltaResources(context, tieCount, source, index);
  const count = { ...counted, states, tie_counts: tieCounts };
  recorder.dispatch(tieCount, count, context.table.ofChunk[index]!.count);
  const touched = touchedScopes(context, source.scope, index);
  const searched = deltaResources(context, tieFind, source, index);
  const scopes = context.params.get(tieFind, touched, 'scopes');
  const find = { ...searched, tie_counts: tieCounts, states, scopes };
  recorder.dispatch(tieFind, find, touched.count);
}

/** Which chunks touch a scope whose last kept tie is not found yet, by any of these states. */
async function stillCutting(
  context: GroupContext,
  scope: Scope,
  states: readonly GPUBuffer[],
): ReturnType<Wanted> {
  const byteLength = 4 * STATE_WORDS * scopeSizes(context.spec, scope).length;
  const all = await readBack(context.handle, 'looking at ties', () => {
    const { encoder } = new PassRecorder(context.handle, 'ties');
    return { encoder, ranges: states.map((source) => ({ source, byteLength })) };
  });
  const words = all.map((bytes) => new Uint32Array(bytes));
  const cuts = (s: number): boolean =>
    words.some((own) => {
      const [, remaining, ties] = own.subarray(STATE_WORDS * s);
      return remaining !== 0 && remaining! < ties!; // cuts_ties in shaders/shared/scope.wgsl
    });
  return (chunkIndex) => {
    const { first, count } = touchedScopes(context, scope, chunkIndex);
    return Array.from({ length: count }, (_, i) => first + i).some(cuts);
  };
}

/** The run of scopes that have entries in a chunk. */
function touchedScopes({ maps }: GroupContext, scope: Scope, chunkIndex: number) {
  if (scope === 'global') return { first: 0, count: 1 };
  const here = maps[chunkIndex]!.pieces;
  const first = here[0]!.tensor;
  return { first, count: here.at(-1)!.tensor - first + 1 }; // empty tensors between cut no ties
}

/** A ScopeState a scope that keeps `k` of all its entries and knows nothing of them yet. */
function createStates(
  { handle, table, spec }: GroupContext,
  owner: BufferScope,
  scope: Scope,
  keptPerScope: readonly number[],
): GPUBuffer {
  const sizes = scopeSizes(spec, scope);
  const words = new Uint32Array(STATE_WORDS * sizes.length);
  sizes.forEach((size, s) => {
    const run = scope === 'global' ? { first: 0, count: table.blockCount } : table.ofTensor[s]!;
    const state = [0, keptPerScope[s]!, size, ALL_TIES, run.first, run.count];
    words.set(state, STATE_WORDS * s);
  });
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  const states = owner.create('selection', words.byteLength, usage);
  handle.device.queue.writeBuffer(states, 0, words);
  return states;
}

function tooMany(scope: Scope): PeruError {
  const [what, hint] =
    scope === 'global'
      ? ['All tensors together have', 'Rank tensor by tensor (scope "tensor") instead.']
      : ['A tensor has', 'Peru cannot rank a tensor of this size.'];
  return new PeruError('unsupported', `${what} 2^32 entries or more; counts have 32 bits.`, hint);
}
