/**
 * How many entries a selection keeps and what their positions take, tensor by tensor: kept bits are
 * marked on the device and counted block by block, and only the counts are read back. Of 87,456,000
 * elements (a ViT-B/32) that is 16 bytes a block instead of a mask of 10.9 MB.
 *
 * Bytes an element in halves: 4 to mark, 1/8 of bits written and again read. Dispatches for C chunks:
 * 2 C.
 */
import { type BufferScope } from '@/gpu/buffers';
import { withErrorScopes } from '@/gpu/error-scopes';
import { type Kernel } from '@/gpu/pipelines';
import { readBack } from '@/gpu/readback';
import { PassRecorder } from '@/gpu/recorder';
import { BLOCK_PARTS, BLOCK_WORDS, type BlockTable } from '@/kernels/weights/blocks';
import {
  deltaCheckpoints,
  type DeltaKernels,
  deltaKernels,
  deltaResources,
  type GroupContext,
} from '@/kernels/weights/group-context';
import { KERNELS, withBarriers } from '@/kernels/weights/wgsl';
import { type KeptCount } from '@/tensor/engine';
import { KEPT_WORDS } from './encode-windows';
import { gapSkips } from '@/codecs/gaps';
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

/**
 * Every tensor that keeps any, in canonical order.
 *
 * @throws PeruError `out-of-memory`, `device-lost` or `internal`; what reading weights rejects with
 */
export async function selectionCounts(
  context: GroupContext,
  selection: SelectionFacts,
): Promise<KeptCount[]> {
  const { handle, table } = context;
  const kernels = await markingKernels(context, selection);
  const scope = handle.buffers.scope();
  try {
    const marking = await withErrorScopes(handle, 'making room to count', () => {
      return { context, selection, ...kernels, ...markingBuffers(context, scope) };
    });
    const sums = new TensorSums(table);
    for await (const chunkIndices of markedBatches(context, selection)) {
      sums.add(chunkIndices, await countKept(marking, chunkIndices));
    }
    return sums.tensors;
  } catch (error) {
    scope.destroy();
    throw error;
  } finally {
    scope.release();
  }
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
export function markingBuffers(
  { maps, table, weights }: GroupContext,
  scope: BufferScope,
): Pick<Marking, 'bits' | 'blockKept'> {
  const read = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC;
  const cleared = read | GPUBufferUsage.COPY_DST;
  const bitBytes = maps.map(({ paddedCount }) => 4 * Math.ceil(paddedCount / 32));
  const create = (byteLength: number): GPUBuffer => scope.create('kept bits', byteLength, cleared);
  const shared = weights.streamed ? create(Math.max(0, ...bitBytes)) : null;
  return {
    bits: bitBytes.map((byteLength) => shared ?? create(byteLength)),
    blockKept: scope.create('kept by block', 4 * KEPT_WORDS * table.blockCount, read),
  };
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
  { context, selection, mark, count: counter, bits, blockKept }: Marking,
  chunkIndices: readonly number[],
): Promise<Uint32Array> {
  const { handle, table, params } = context;
  const runs = chunkIndices.map((index) => table.ofChunk[index]!);
  const first = runs[0]?.first ?? 0;
  const count = runs.reduce((sum, run) => sum + run.count, 0);
  const [bytes] = await readBack(handle, 'counting kept entries', () => {
    const recorder = new PassRecorder(handle, 'count kept');
    for (const index of chunkIndices) recorder.clear(bits[index]!);
    for (const index of chunkIndices) {
      const run = table.ofChunk[index]!;
      const kernel = mark(index);
      const delta = deltaResources(context, kernel, selection, index);
      const marked = { ...delta, states: selection.states, kept_bits: bits[index]! };
      recorder.dispatch(kernel, marked, BLOCK_PARTS * run.count);
      const values = { first_block: run.first, block_count: run.count };
      const counted = {
        params: params.get(counter, values),
        blocks: context.blocks,
        kept_bits: bits[index]!,
        block_kept: blockKept,
      };
      recorder.dispatch(counter, counted, run.count);
    }
    recorder.endPass();
    const each = 4 * KEPT_WORDS;
    const range = { offset: each * first, byteLength: each * count, room: each * table.blockCount };
    return { encoder: recorder.encoder, ranges: [{ source: blockKept, ...range }] };
  });
  return new Uint32Array(bytes!);
}

/** Adds blocks up to tensors; a tensor may go on in the next batch. */
class TensorSums {
  readonly tensors: KeptCount[] = [];
  /** Position of the last entry kept in the last tensor. */
  private last = -1;

  constructor(private readonly table: BlockTable) {}

  /** @param counts a BlockKept a block of these chunks, in order */
  add(chunkIndices: readonly number[], counts: Uint32Array): void {
    let record = 0;
    for (const chunkIndex of chunkIndices) {
      const { first: firstBlock, count } = this.table.ofChunk[chunkIndex]!;
      for (let block = firstBlock; block < firstBlock + count; block++) {
        const [kept, skips, first, last] = counts.subarray(record, (record += KEPT_WORDS));
        if (kept === 0) continue;
        const words = this.table.words.subarray(BLOCK_WORDS * block, BLOCK_WORDS * (block + 1));
        const [, , tensor, position] = words;
        const before = this.tensors.at(-1)?.tensor === tensor ? this.tensors.pop()! : null;
        const distance = position! + first! - (before === null ? -1 : this.last);
        this.tensors.push({
          tensor: tensor!,
          kept: kept! + (before?.kept ?? 0),
          gapBytes: kept! + skips! + gapSkips(distance) + (before?.gapBytes ?? 0),
        });
        this.last = position! + last!;
      }
    }
  }
}
