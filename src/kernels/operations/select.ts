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
import { runWork, type Step } from '@/kernels/weights/work';

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
 * Ranks the entries of every scope by |u| and finds the threshold of its top `percent`.
 *
 * Passes over the data: one for the first digit unless its histogram is held; then one for the last
 * two digits of a large global ranking, two else; and where ties are cut one more, up to the chunk
 * that holds the last kept tie. Dispatches for C chunks, in the order of those passes: C + 1, then
 * C + 3 or 2 C + 2, then 2 C (those of the ties return at once where none are cut; where
 * weights are streamed, they and their reads are left out).
 *
 * @returns thresholds; the caller releases `states`
 * @throws PeruError `unsupported` for a scope of 2^32 entries or more
 */
export async function selectTop(
  context: GroupContext,
  cache: HistogramCache,
  source: DeltaSource,
  percent: number,
): Promise<SelectionFacts> {
  const { handle } = context;
  const sizes = scopeSizes(context.spec, source.scope);
  if (sizes.some((size) => size >= 2 ** 32)) throw tooMany(source.scope);
  const keptPerScope = sizes.map((size) => keptCount(percent, size));
  const kernels = await selectKernels(context, source);
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  const kept = handle.buffers.scope();
  try {
    const states = await handle.buffers.lend(async (scratch) => {
      let buffer: GPUBuffer | null = null;
      await runWork(context, 'selecting', 'select', (recorder) => {
        const words = initialStates(context, source.scope, keptPerScope);
        buffer = kept.create('selection', words.byteLength, usage);
        handle.device.queue.writeBuffer(buffer, 0, words);
        return {
          steps: stepsOf(context, cache, kernels, source, { recorder, states: buffer, scratch }),
        };
      });
      return buffer!;
    });
    return { ...source, keptPerScope, states };
  } catch (error) {
    kept.destroy();
    throw error;
  }
}

async function selectKernels(context: GroupContext, source: DeltaSource): Promise<SelectKernels> {
  const { handle, spec, counting } = context;
  const { tally, jointFrom } = counting;
  const isJoint = source.scope === 'global' && spec.layout.elementCount >= jointFrom;
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

/** What the steps of one selection share. */
interface Parts {
  readonly context: GroupContext;
  readonly kernels: SelectKernels;
  readonly source: DeltaSource;
  readonly states: GPUBuffer;
  readonly scopeCount: number;
}

/** Count and refine three digits, then cut ties. */
function stepsOf(
  context: GroupContext,
  cache: HistogramCache,
  kernels: SelectKernels,
  source: DeltaSource,
  made: { recorder: PassRecorder; states: GPUBuffer; scratch: BufferScope },
): Step[] {
  const { recorder, states, scratch } = made;
  const { table, spec } = context;
  const scopeCount = scopeSizes(spec, source.scope).length;
  const zeroed = (length: number): GPUBuffer => {
    const counts = createCounts(context, length, scratch);
    recorder.clear(counts);
    return counts;
  };
  const refinements = kernels.joint
    ? [zeroed(JOINT_DIGIT.bins), zeroed(DIGITS[1].bins)]
    : DIGITS.slice(1).map(({ bins }) => zeroed(scopeCount * bins));
  const tieCounts = zeroed(table.blockCount);
  const parts: Parts = { context, kernels, source, states, scopeCount };
  const first = cache.get(recorder, kernels.histogram, source);
  return [
    ...first.steps,
    findDigit(parts, first.counts, DIGITS[0].bins),
    ...(kernels.joint
      ? refineAtOnce(parts, kernels.joint, refinements[0]!, refinements[1]!)
      : refineByDigit(parts, refinements)),
    cutTies(parts, tieCounts),
  ];
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
function refineByDigit(parts: Parts, refinements: readonly GPUBuffer[]): Step[] {
  const { context, kernels, source, states } = parts;
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
  counts: GPUBuffer,
  sums: GPUBuffer,
): Step[] {
  const { context, source, states } = parts;
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

/** Chunk by chunk, so that the data behind the last kept tie is not read. */
function cutTies({ context, kernels, source, states }: Parts, tieCounts: GPUBuffer): Step {
  const each = (recorder: PassRecorder, index: number): void => {
    const [tieCount, tieFind] = [kernels.tieCount(index), kernels.tieFind(index)];
    const counted = deltaResources(context, tieCount, source, index);
    const count = { ...counted, states, tie_counts: tieCounts };
    recorder.dispatch(tieCount, count, context.table.ofChunk[index]!.count);
    const touched = touchedScopes(context, source.scope, index);
    const searched = deltaResources(context, tieFind, source, index);
    const scopes = context.params.get(tieFind, touched, 'scopes');
    const find = { ...searched, tie_counts: tieCounts, states, scopes };
    recorder.dispatch(tieFind, find, touched.count);
  };
  const wanted = (): ReturnType<Wanted> => stillCutting(context, source.scope, states);
  return { checkpoints: deltaCheckpoints(source), each, wanted };
}

/** Which chunks touch a scope whose last kept tie is not found yet. */
async function stillCutting(
  context: GroupContext,
  scope: Scope,
  states: GPUBuffer,
): ReturnType<Wanted> {
  const byteLength = 4 * STATE_WORDS * scopeSizes(context.spec, scope).length;
  const [bytes] = await readBack(context.handle, 'looking at ties', () => {
    const { encoder } = new PassRecorder(context.handle, 'ties');
    return { encoder, ranges: [{ source: states, byteLength }] };
  });
  const words = new Uint32Array(bytes!);
  const cuts = (s: number): boolean => {
    const [, remaining, ties] = words.subarray(STATE_WORDS * s);
    return remaining !== 0 && remaining! < ties!; // cuts_ties in shaders/shared/scope.wgsl
  };
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

/** Words of a ScopeState that keeps `k` of all its entries and knows nothing of them yet. */
function initialStates(context: GroupContext, scope: Scope, keptPerScope: readonly number[]) {
  const { table, spec } = context;
  const sizes = scopeSizes(spec, scope);
  const words = new Uint32Array(STATE_WORDS * sizes.length);
  sizes.forEach((size, s) => {
    const run = scope === 'global' ? { first: 0, count: table.blockCount } : table.ofTensor[s]!;
    const state = [0, keptPerScope[s]!, size, ALL_TIES, run.first, run.count];
    words.set(state, STATE_WORDS * s);
  });
  return words;
}

function tooMany(scope: Scope): PeruError {
  const [what, hint] =
    scope === 'global'
      ? ['All tensors together have', 'Rank tensor by tensor (scope "tensor") instead.']
      : ['A tensor has', 'Peru cannot rank a tensor of this size.'];
  return new PeruError('unsupported', `${what} 2^32 entries or more; counts have 32 bits.`, hint);
}
