/** Exact top k of a task vector's magnitudes, by radix select, without a readback. */
import { type BufferScope } from '@/gpu/buffers';
import { guarded } from '@/gpu/guard';
import { type Kernel } from '@/gpu/pipelines';
import { PassRecorder } from '@/gpu/recorder';
import { type Scope, type Selection } from '@/tensor/engine';
import { PeruError } from '@/tensor/errors';
import { keptCount } from '@/tensor/kept-count';
import { deltaResources, type DeltaSource, type GroupContext, scopeSizes } from './group-context';
import {
  countDigit,
  createCounts,
  DIGITS,
  type HistogramCache,
  histogramSource,
} from './histogram';
import { KERNELS } from './sources';

/** u32 words of a ScopeState (shaders/shared/scope.wgsl). */
const STATE_WORDS = 8;
const ALL_TIES = 0xffff_ffff;
const NO_BLOCK = 0xffff_ffff;

/** Thresholds of every scope, on the GPU. */
export interface SelectionFacts extends Omit<Selection, 'dispose'> {
  readonly states: GPUBuffer;
}

interface SelectKernels {
  readonly histogram: Kernel;
  readonly threshold: Kernel;
  readonly tieCount: Kernel;
  readonly tieBlock: Kernel;
  readonly tieLimit: Kernel;
}

/**
 * Ranks the entries of every scope by |u| and finds the threshold of its top `percent`. Reads the
 * data twice when the histogram is held, three times else, once more where ties are cut.
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
  const kernels = await selectKernels(context);
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  const kept = handle.buffers.scope();
  try {
    const states = await handle.buffers.lend((scratch) =>
      guarded(handle, 'selecting', () => {
        const words = initialStates(context, source.scope, keptPerScope);
        const buffer = kept.create('selection', words.byteLength, usage);
        handle.device.queue.writeBuffer(buffer, 0, words);
        record(context, cache, kernels, source, { states: buffer, scratch });
        return buffer;
      }),
    );
    return { ...source, keptPerScope, states };
  } catch (error) {
    kept.destroy();
    throw error;
  }
}

async function selectKernels({
  handle: { pipelines },
  tally,
}: GroupContext): Promise<SelectKernels> {
  const [histogram, threshold, tieCount, tieBlock, tieLimit] = await Promise.all([
    pipelines.get(histogramSource(tally)),
    pipelines.get(KERNELS.selectThreshold),
    pipelines.get(KERNELS.selectTieCount),
    pipelines.get(KERNELS.selectTieBlock),
    pipelines.get(KERNELS.selectTieLimit),
  ]);
  return { histogram, threshold, tieCount, tieBlock, tieLimit };
}

/** One submission: count and refine three digits, then cut ties. */
function record(
  context: GroupContext,
  cache: HistogramCache,
  kernels: SelectKernels,
  source: DeltaSource,
  { states, scratch }: { states: GPUBuffer; scratch: BufferScope },
): void {
  const { handle, table } = context;
  const recorder = new PassRecorder(handle, 'select');
  const scopeCount = scopeSizes(context.spec, source.scope).length;
  const refinements = DIGITS.slice(1).map(({ bins }) => {
    const counts = createCounts(context, scopeCount * bins, scratch);
    recorder.clear(counts);
    return counts;
  });
  const tieCounts = createCounts(context, table.blockCount, scratch);
  recorder.clear(tieCounts);
  const first = cache.get(recorder, kernels.histogram, source);
  DIGITS.forEach((digit, d) => {
    const counts = d === 0 ? first : refinements[d - 1]!;
    if (d > 0) countDigit(context, recorder, kernels.histogram, source, digit, { states, counts });
    const values = { scope_count: scopeCount, bins: digit.bins };
    const params = context.params.get(kernels.threshold, values);
    recorder.dispatch(kernels.threshold, { params, counts, states }, scopeCount);
  });
  cutTies(context, recorder, kernels, source, { states, tieCounts, scopeCount });
  recorder.submit();
}

function cutTies(
  context: GroupContext,
  recorder: PassRecorder,
  kernels: SelectKernels,
  source: DeltaSource,
  buffers: { states: GPUBuffer; tieCounts: GPUBuffer; scopeCount: number },
): void {
  const { states, tieCounts, scopeCount } = buffers;
  for (const { index } of context.spec.chunks) {
    const delta = deltaResources(context, kernels.tieCount, source, index);
    const resources = { ...delta, states, tie_counts: tieCounts };
    recorder.dispatch(kernels.tieCount, resources, context.table.ofChunk[index]!.count);
  }
  const params = context.params.get(kernels.tieBlock, { scope_count: scopeCount });
  recorder.dispatch(kernels.tieBlock, { params, tie_counts: tieCounts, states }, scopeCount);
  for (const { index } of context.spec.chunks) {
    const delta = deltaResources(context, kernels.tieLimit, source, index);
    const touched = touchedScopes(context, source.scope, index);
    const scopes = context.params.get(kernels.tieLimit, touched, 'scopes');
    recorder.dispatch(kernels.tieLimit, { ...delta, states, scopes }, touched.count);
  }
}

/** The run of scopes that have entries in a chunk. */
function touchedScopes({ pieces }: GroupContext, scope: Scope, chunkIndex: number) {
  if (scope === 'global') return { first: 0, count: 1 };
  const here = pieces[chunkIndex]!;
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
    const state = [0, keptPerScope[s]!, size, ALL_TIES, NO_BLOCK, 0, run.first, run.count];
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
