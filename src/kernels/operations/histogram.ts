/**
 * Histograms of the top 11 magnitude bits of task vectors, kept on the GPU: the slider's statistics
 * and the first digit of every selection, so that a new percentage reads the data only to refine.
 */
import { type BufferOwner } from '@/gpu/buffers';
import { type KernelSource } from '@/gpu/pipelines';
import { type PassRecorder } from '@/gpu/recorder';
import { type Center, type GroupShape, type MagnitudeHistogram } from '@/tensor/engine';
import { PeruError } from '@/core/errors';
import {
  deltaCheckpoints,
  type DeltaKernels,
  deltaKernels,
  deltaResources,
  type DeltaSource,
  type GroupContext,
  scopeSizes,
  type Tally,
} from '@/kernels/weights/group-context';
import { KERNELS } from '@/kernels/weights/wgsl';
import { runWork, type Step } from '@/kernels/weights/work';

/** A digit of the 31-bit key, as histogram.wgsl takes it. */
export interface Digit {
  readonly bins: number;
  readonly bin_shift: number;
  readonly prefix_shift: number;
}

/** Most significant first: 11, 10 and 10 bits. */
export const DIGITS = [
  { bins: 2048, bin_shift: 20, prefix_shift: 31 },
  { bins: 1024, bin_shift: 10, prefix_shift: 20 },
  { bins: 1024, bin_shift: 0, prefix_shift: 10 },
] as const satisfies readonly Digit[];
const FIRST_BINS = DIGITS[0].bins;

/** The second and third digit as one. */
export const JOINT_DIGIT: Digit = { bins: 2 ** 20, bin_shift: 0, prefix_shift: 20 };

/** Histograms kept at most where all weights are; the oldest go first. */
export const CACHE_BYTES = 64 * 2 ** 20;

export class HistogramCache {
  private readonly held = new Map<string, GPUBuffer>();

  /** @param mostBytes of histograms held; the newest is kept in any case */
  constructor(
    private readonly context: GroupContext,
    private readonly mostBytes: number,
  ) {}

  /**
   * First-digit counts by scope; bin 0 is not stored (shaders/histogram.wgsl). Counted by `steps`,
   * one pass, unless held. Valid until the next call.
   *
   * @param recorder clears the counts
   */
  get(
    recorder: PassRecorder,
    kernels: DeltaKernels,
    source: DeltaSource,
  ): { readonly counts: GPUBuffer; readonly steps: readonly Step[] } {
    const key = `${source.center} ${source.task} ${source.scope}`;
    const held = this.held.get(key);
    if (held) return { counts: held, steps: [] };
    const scopeCount = scopeSizes(this.context.spec, source.scope).length;
    this.makeRoom(4 * scopeCount * FIRST_BINS);
    const counts = createCounts(this.context, scopeCount * FIRST_BINS);
    this.held.set(key, counts);
    recorder.clear(counts);
    // The first digit reads no state; the blocks stand in for them.
    const buffers = { states: this.context.blocks, counts };
    return { counts, steps: [countDigit(this.context, kernels, source, DIGITS[0], buffers)] };
  }

  /** Forgets the histograms around theta*, or all. */
  drop(which: 'merged' | 'all'): void {
    for (const [key, buffer] of this.held) {
      if (which === 'all' || key.startsWith('merged')) this.release(key, buffer);
    }
  }

  /** Forgets all after a failure, which may have left one invalid or uncounted. */
  destroy(): void {
    for (const buffer of this.held.values()) this.context.handle.buffers.destroy(buffer);
    this.held.clear();
  }

  private makeRoom(byteLength: number): void {
    let total = byteLength;
    for (const buffer of this.held.values()) total += buffer.size;
    for (const [key, buffer] of this.held) {
      if (total <= this.mostBytes) return;
      total -= buffer.size;
      this.release(key, buffer);
    }
  }

  private release(key: string, buffer: GPUBuffer): void {
    this.held.delete(key);
    this.context.handle.buffers.release(buffer);
  }
}

/**
 * Bytes of the global histograms of all tasks, around theta_0 and theta*, and of one by tensor: what
 * a streamed group keeps.
 */
export function streamedCacheBytes({ layout, taskCount }: GroupShape): number {
  return 4 * FIRST_BINS * (2 * taskCount + layout.tensors.length);
}

/** The histogram kernel that suits the adapter. */
export function histogramSource(tally: Tally): KernelSource {
  return tally === 'direct' ? KERNELS.histogramDirect : KERNELS.histogramWorkgroup;
}

/** The one that counts `JOINT_DIGIT`. */
export function jointHistogramSource(tally: Tally): KernelSource {
  return tally === 'direct' ? KERNELS.histogramDirect : KERNELS.histogramCached;
}

/** A buffer of counts; clear it before the first dispatch. */
export function createCounts(
  { handle }: GroupContext,
  length: number,
  owner: Pick<BufferOwner, 'create'> = handle.buffers,
): GPUBuffer {
  const limit = handle.device.limits.maxStorageBufferBindingSize;
  if (4 * length > limit) {
    throw new PeruError(
      'unsupported',
      `A ranking for each of so many tensors needs ${4 * length} bytes of counts; this device binds ${limit}.`,
      'Rank all entries together (scope "global") instead of tensor by tensor.',
    );
  }
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  return owner.create('magnitude counts', 4 * length, usage);
}

/** Counts one digit over all chunks: one pass. */
export function countDigit(
  context: GroupContext,
  kernels: DeltaKernels,
  source: DeltaSource,
  digit: Digit,
  buffers: { readonly states: GPUBuffer; readonly counts: GPUBuffer },
): Step {
  const each = (recorder: PassRecorder, index: number): void => {
    const kernel = kernels(index);
    const digitParams = context.params.get(kernel, { ...digit }, 'digit');
    const delta = deltaResources(context, kernel, source, index);
    const resources = { ...delta, ...buffers, digit: digitParams };
    recorder.dispatch(kernel, resources, context.table.ofChunk[index]!.count);
  };
  return { checkpoints: deltaCheckpoints(source), each };
}

/** The global histogram of one task vector, in memory: one pass, none where it is held. */
export async function readHistogram(
  context: GroupContext,
  cache: HistogramCache,
  center: Center,
  task: number,
): Promise<MagnitudeHistogram> {
  const { spec } = context;
  const delta = { center, task, scope: 'global' } as const;
  const kernels = await deltaKernels(context, histogramSource(context.counting.tally), delta);
  const [bytes] = await runWork(context, 'counting magnitudes', 'histogram', (recorder) => {
    const { counts, steps } = cache.get(recorder, kernels, delta);
    return { steps, ranges: [{ source: counts, byteLength: 4 * FIRST_BINS }] };
  });
  const counts = new Uint32Array(bytes!);
  counts[0] = spec.layout.elementCount - counts.reduce((sum, count) => sum + count, 0);
  return { counts };
}
