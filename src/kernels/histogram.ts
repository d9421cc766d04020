/**
 * Histograms of the top 11 magnitude bits of task vectors, kept on the GPU: the slider's statistics
 * and the first digit of every selection, so that a new percentage reads the data only to refine.
 */
import { type BufferOwner } from '@/gpu/buffers';
import { type KernelSource } from '@/gpu/pipelines';
import { readBack } from '@/gpu/readback';
import { PassRecorder } from '@/gpu/recorder';
import { type Center, type MagnitudeHistogram } from '@/tensor/engine';
import { PeruError } from '@/tensor/errors';
import {
  type DeltaKernels,
  deltaKernels,
  deltaResources,
  type DeltaSource,
  type GroupContext,
  scopeSizes,
  type Tally,
} from './group-context';
import { KERNELS } from './sources';

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

/** Histograms kept at most; the oldest go first. */
const CACHE_BYTES = 64 * 2 ** 20;

export class HistogramCache {
  private readonly held = new Map<string, GPUBuffer>();

  constructor(private readonly context: GroupContext) {}

  /**
   * First-digit counts by scope; bin 0 is not stored (shaders/histogram.wgsl). Counted now, by
   * dispatches on `recorder`, unless held. Valid until the next call.
   */
  get(recorder: PassRecorder, kernels: DeltaKernels, source: DeltaSource): GPUBuffer {
    const key = `${source.center} ${source.task} ${source.scope}`;
    const held = this.held.get(key);
    if (held) return held;
    const scopeCount = scopeSizes(this.context.spec, source.scope).length;
    const counts = createCounts(this.context, scopeCount * FIRST_BINS);
    this.makeRoom(counts.size);
    this.held.set(key, counts);
    recorder.clear(counts);
    // The first digit reads no state; the blocks stand in for them.
    const buffers = { states: this.context.blocks, counts };
    countDigit(this.context, recorder, kernels, source, DIGITS[0], buffers);
    return counts;
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
      if (total <= CACHE_BYTES) return;
      total -= buffer.size;
      this.release(key, buffer);
    }
  }

  private release(key: string, buffer: GPUBuffer): void {
    this.held.delete(key);
    this.context.handle.buffers.release(buffer);
  }
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

/** Dispatches the count of one digit over all chunks. */
export function countDigit(
  context: GroupContext,
  recorder: PassRecorder,
  kernels: DeltaKernels,
  source: DeltaSource,
  digit: Digit,
  buffers: { readonly states: GPUBuffer; readonly counts: GPUBuffer },
): void {
  for (const { index } of context.spec.chunks) {
    const kernel = kernels(index);
    const digitParams = context.params.get(kernel, { ...digit }, 'digit');
    const delta = deltaResources(context, kernel, source, index);
    const resources = { ...delta, ...buffers, digit: digitParams };
    recorder.dispatch(kernel, resources, context.table.ofChunk[index]!.count);
  }
}

/** The global histogram of one task vector, in memory. */
export async function readHistogram(
  context: GroupContext,
  cache: HistogramCache,
  center: Center,
  task: number,
): Promise<MagnitudeHistogram> {
  const { handle, spec } = context;
  const delta = { center, task, scope: 'global' } as const;
  const kernels = await deltaKernels(context, histogramSource(context.counting.tally), delta);
  const [bytes] = await readBack(handle, 'counting magnitudes', () => {
    const recorder = new PassRecorder(handle, 'histogram');
    const source = cache.get(recorder, kernels, delta);
    recorder.endPass();
    return { encoder: recorder.encoder, ranges: [{ source, byteLength: 4 * FIRST_BINS }] };
  });
  const counts = new Uint32Array(bytes!);
  counts[0] = spec.layout.elementCount - counts.reduce((sum, count) => sum + count, 0);
  return { counts };
}
