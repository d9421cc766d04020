/** Windows of an encoding: runs of blocks whose kept entries fit one buffer, and where each goes. */
import { BLOCK_WORDS, type BlockRun, type BlockTable } from '@/kernels/weights/blocks';
import { type EncodedBlock } from './encoded-tensors';

/** u32 words of a BlockKept (shaders/kept_count.wgsl), and of a place (shaders/kept_write.wgsl). */
export const KEPT_WORDS = 4;
export const PLACE_WORDS = 2;

/** A block's kept entries and where their bytes go, counted from the start of values and of gaps. */
interface Packed {
  readonly block: number;
  readonly chunkIndex: number;
  readonly kept: number;
  readonly first: number;
  readonly last: number;
  readonly valuesAt: number;
  readonly valueBytes: number;
  readonly gapsAt: number;
  readonly gapBytes: number;
}

/** All values of a window come first, then, from a whole word on, all gaps. */
export class PackedWindow {
  readonly firstBlock: number;
  readonly byteLength: number;
  /** Of every block from the first to the last; those that keep none are not looked at. */
  readonly places: Uint32Array<ArrayBuffer>;
  /** Blocks from the first to the last, chunk by chunk. */
  readonly runs: readonly { readonly chunkIndex: number; readonly run: BlockRun }[];
  private readonly gapsStart: number;

  /** @param packed at least one, in order */
  constructor(
    private readonly table: BlockTable,
    private readonly packed: readonly Packed[],
  ) {
    const [first, last] = [packed[0]!, packed.at(-1)!];
    this.firstBlock = first.block;
    this.gapsStart = wholeWords(last.valuesAt + last.valueBytes);
    this.byteLength = this.gapsStart + last.gapsAt + last.gapBytes;
    this.places = new Uint32Array(PLACE_WORDS * (last.block + 1 - first.block));
    for (const { block, valuesAt, gapsAt } of packed) {
      const place = [valuesAt, this.gapsStart + gapsAt];
      this.places.set(place, PLACE_WORDS * (block - first.block));
    }
    this.runs = runsOf(packed);
  }

  /** What the GPU wrote for each block that keeps any. */
  *blocksOf(bytes: ArrayBuffer): Generator<EncodedBlock> {
    for (const { block, kept, first, last, ...at } of this.packed) {
      const words = this.table.words.subarray(BLOCK_WORDS * block, BLOCK_WORDS * (block + 1));
      const [, , tensor, position] = words;
      yield {
        tensor: tensor!,
        kept,
        first: position! + first,
        last: position! + last,
        values: new Uint8Array(bytes, at.valuesAt, at.valueBytes),
        gaps: new Uint8Array(bytes, this.gapsStart + at.gapsAt, at.gapBytes),
      };
    }
  }
}

/**
 * Cuts the blocks of some chunks into windows.
 *
 * @param counts a BlockKept a block of these chunks, in order
 * @param valueBytes of one value
 * @param windowBytes of a window at most; any block must fit
 */
export function* windowsOf(
  table: BlockTable,
  chunkIndices: readonly number[],
  counts: Uint32Array,
  valueBytes: number,
  windowBytes: number,
): Generator<PackedWindow> {
  let packed: Packed[] = [];
  let [valuesAt, gapsAt, record] = [0, 0, 0];
  for (const chunkIndex of chunkIndices) {
    const { first: firstBlock, count } = table.ofChunk[chunkIndex]!;
    for (let block = firstBlock; block < firstBlock + count; block++) {
      const [kept, skips, first, last] = counts.subarray(record, (record += KEPT_WORDS));
      if (kept === 0) continue;
      const bytes = { valueBytes: valueBytes * kept!, gapBytes: kept! + skips! };
      const end = wholeWords(valuesAt + bytes.valueBytes) + gapsAt + bytes.gapBytes;
      if (packed.length > 0 && end > windowBytes) {
        yield new PackedWindow(table, packed);
        [packed, valuesAt, gapsAt] = [[], 0, 0];
      }
      packed.push({
        ...{ block, chunkIndex, kept: kept!, first: first!, last: last! },
        ...{ valuesAt, gapsAt, ...bytes },
      });
      valuesAt += bytes.valueBytes;
      gapsAt += bytes.gapBytes;
    }
  }
  if (packed.length > 0) yield new PackedWindow(table, packed);
}

function runsOf(packed: readonly Packed[]) {
  const runs: { chunkIndex: number; run: { first: number; count: number } }[] = [];
  for (const { chunkIndex, block } of packed) {
    const last = runs.at(-1);
    if (last?.chunkIndex === chunkIndex) last.run.count = block + 1 - last.run.first;
    else runs.push({ chunkIndex, run: { first: block, count: 1 } });
  }
  return runs;
}

function wholeWords(byteLength: number): number {
  return 4 * Math.ceil(byteLength / 4);
}
