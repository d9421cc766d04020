/**
 * Kept entries marked on the device and counted block by block: 4 bytes an element in halves to mark,
 * 1/8 of bits written and again read, two dispatches a chunk.
 */
import { type BufferScope } from '@/gpu/buffers';
import { type Kernel } from '@/gpu/pipelines';
import { readBack } from '@/gpu/readback';
import { PassRecorder } from '@/gpu/recorder';
import { BLOCK_PARTS } from '@/kernels/weights/blocks';
import {
  deltaCheckpoints,
  type DeltaKernels,
  deltaKernels,
  deltaResources,
  type GroupContext,
} from '@/kernels/weights/group-context';
import { KERNELS, withBarriers } from '@/kernels/weights/wgsl';
import { KEPT_WORDS } from './encode-windows';
import { type SelectionFacts } from './select';

/** What marking and counting a selection's entries takes. */
export interface Marking {
  readonly context: GroupContext;
  readonly selection: SelectionFacts;
  readonly mark: DeltaKernels;
  readonly count: Kernel;
  /** By chunk; where weights are streamed all have the same. */
  readonly bits: readonly GPUBuffer[];
  /** A record a block of the table. */
  readonly blockKept: GPUBuffer;
}

export async function markingKernels(
  context: GroupContext,
  selection: SelectionFacts,
): Promise<Pick<Marking, 'mark' | 'count'>> {
  const [mark, count] = await Promise.all([
    deltaKernels(context, KERNELS.mask, selection),
    context.handle.pipelines.get(withBarriers(KERNELS.keptCount, context.counting.tally)),
  ]);
  return { mark, count };
}

/** Call inside `withErrorScopes`. Sizes and uses are those of other operations where they can be. */
export function bitBuffers({ maps, weights }: GroupContext, scope: BufferScope): GPUBuffer[] {
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  const create = (byteLength: number): GPUBuffer => scope.create('kept bits', byteLength, usage);
  const sizes = maps.map(({ paddedCount }) => 4 * Math.ceil(paddedCount / 32));
  const shared = weights.streamed ? create(Math.max(0, ...sizes)) : null;
  return sizes.map((byteLength) => shared ?? create(byteLength));
}

/** Call inside `withErrorScopes`. */
export function blockKeptBuffer({ table }: GroupContext, scope: BufferScope): GPUBuffer {
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC;
  return scope.create('kept by block', 4 * KEPT_WORDS * table.blockCount, usage);
}

/** All chunks at once where their weights stay, else one after the other. */
export async function* markedBatches(
  { spec, weights }: GroupContext,
  selection: SelectionFacts,
): AsyncGenerator<readonly number[]> {
  if (!weights.streamed) yield spec.chunks.map(({ index }) => index);
  else for await (const index of weights.walk(deltaCheckpoints(selection))) yield [index];
}

/** Marks kept entries and counts them; one record a block of the chunks, in order. */
export async function countKept(
  marking: Marking,
  chunkIndices: readonly number[],
): Promise<Uint32Array> {
  const { handle, table } = marking.context;
  const runs = chunkIndices.map((index) => table.ofChunk[index]!);
  const first = runs[0]?.first ?? 0;
  const count = runs.reduce((sum, run) => sum + run.count, 0);
  const [bytes] = await readBack(handle, 'counting kept entries', () => {
    const recorder = new PassRecorder(handle, 'count kept');
    for (const index of chunkIndices) recorder.clear(marking.bits[index]!);
    for (const index of chunkIndices) markChunk(recorder, marking, index);
    recorder.endPass();
    const each = 4 * KEPT_WORDS;
    const range = { offset: each * first, byteLength: each * count, room: each * table.blockCount };
    return { encoder: recorder.encoder, ranges: [{ source: marking.blockKept, ...range }] };
  });
  return new Uint32Array(bytes!);
}

/** Marks and counts the kept entries of one chunk, whose bits are zero. */
export function markChunk(recorder: PassRecorder, marking: Marking, index: number): void {
  const { context, selection, mark, count, bits, blockKept } = marking;
  const { blocks, params, table } = context;
  const run = table.ofChunk[index]!;
  const kept_bits = bits[index]!;
  const kernel = mark(index);
  const delta = deltaResources(context, kernel, selection, index);
  const marked = { ...delta, states: selection.states, kept_bits };
  recorder.dispatch(kernel, marked, BLOCK_PARTS * run.count);
  const values = { first_block: run.first, block_count: run.count };
  const counted = { params: params.get(count, values), blocks, kept_bits, block_kept: blockKept };
  recorder.dispatch(count, counted, run.count);
}
