/** Twins of shaders/histogram.wgsl, select_tie_*.wgsl and nonfinite.wgsl: counts of bits. */
import { type Block } from '../parts/blocks';
import { type DeltaOf, type DigitCount, type Thresholds } from '../parts/questions';
import { type BlockMath, MAGNITUDE } from '../simd/block-math';
import { type Shard } from './shard';

/** Bits of a key. */
const KEY_BITS = 31;

/** Calls `visit` block by block, in order, with the block's task vector in `shard.math`. */
export function eachDelta(
  shard: Shard,
  chunk: number,
  of: DeltaOf,
  visit: (block: Block, index: number) => void,
): void {
  const center = shard.center(of, chunk);
  const task = shard.page(of.task + 1, chunk);
  shard.blocks[chunk]!.forEach((block, index) => {
    shard.math.subtract(task, center, block.partStart, block.elementCount);
    visit(block, index);
  });
}

/**
 * Adds to each count the digit of every key that shares its scope's prefix. The task vector is made
 * once for all of them.
 *
 * Bytes an element: center and task read, 4 (halves) to 8. About 10 operations, and 2 a count.
 */
export function countDigits(
  shard: Shard,
  chunk: number,
  of: DeltaOf,
  counts: readonly DigitCount[],
): void {
  eachDelta(shard, chunk, of, ({ tensor, elementCount }) => {
    for (const count of counts) {
      countBlock(shard.math, elementCount, count, count.perTensor ? tensor : 0);
    }
  });
}

function countBlock(
  math: BlockMath,
  elementCount: number,
  { digit: { shift, bins }, prefixes, counts }: DigitCount,
  scope: number,
): void {
  const first = scope * bins;
  const prefixShift = shift + Math.log2(bins);
  if (prefixShift >= KEY_BITS) {
    const digits = math.countDigits(elementCount, shift, bins);
    for (let bin = 0; bin < bins; bin++) counts[first + bin]! += digits[bin]!;
    return;
  }
  const keys = math.keysByPrefix(elementCount, prefixShift, prefixes[scope]!);
  const mask = bins - 1;
  for (let i = 0; i < keys.length; i++) counts[first + ((keys[i]! >>> shift) & mask)]!++;
}

/** Entries to count: those whose key is that of their scope. */
export type Ties = Pick<Thresholds, 'perTensor' | 'keys'>;

/** Of each of `all` the ties in each block, block by block; the task vector is made once for all. */
export function countTies(
  shard: Shard,
  chunk: number,
  of: DeltaOf,
  all: readonly Ties[],
): Uint32Array<ArrayBuffer>[] {
  const counts = all.map(() => new Uint32Array(shard.blocks[chunk]!.length));
  eachDelta(shard, chunk, of, ({ tensor, elementCount }, b) => {
    all.forEach(({ perTensor, keys }, i) => {
      counts[i]![b] = shard.math.countKey(elementCount, keys[perTensor ? tensor : 0]!);
    });
  });
  return counts;
}

/** A tie to find. */
export interface WantedTie {
  /** Index of the block in its chunk. */
  readonly block: number;
  readonly key: number;
  /** Which of the block's entries with that key, counted from 1; there are as many. */
  readonly nth: number;
}

/** @returns index in the block */
export function findTie(shard: Shard, chunk: number, of: DeltaOf, tie: WantedTie): number {
  const { partStart, elementCount } = shard.blocks[chunk]![tie.block]!;
  const task = shard.page(of.task + 1, chunk);
  shard.math.subtract(task, shard.center(of, chunk), partStart, elementCount);
  const { bits } = shard.math;
  let left = tie.nth;
  let i = -1;
  while (left > 0) if ((bits[++i]! & MAGNITUDE) === tie.key) left--;
  return i;
}

/** Adds NaN and infinities of a checkpoint's part of a chunk, by their exponent bits, to `counts`. */
export function countNonFinite(
  shard: Shard,
  chunk: number,
  checkpoint: number,
  counts: Uint32Array,
): void {
  const page = shard.page(checkpoint, chunk);
  for (const { tensor, partStart, elementCount } of shard.blocks[chunk]!) {
    counts[tensor]! += shard.math.countNonFinite(page, partStart, elementCount);
  }
}
