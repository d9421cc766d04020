/**
 * The block table (shaders/shared/block.wgsl): runs of one tensor in one chunk, short enough that a
 * workgroup each keeps a GPU evenly busy, long enough that a workgroup's fixed cost (clearing and
 * flushing a 2048-bin histogram) stays below a tenth of its reads.
 */
import { type Piece } from '@/tensor/pieces';

const BLOCK_ELEMENTS = 16_384;
const WORDS = 5;
const BLOCK_BYTES = 4 * WORDS;

/** A run of the block table. */
export interface BlockRun {
  readonly first: number;
  readonly count: number;
}

export interface BlockTable {
  /** The table as shaders read it. */
  readonly words: Uint32Array<ArrayBuffer>;
  readonly blockCount: number;
  readonly ofChunk: readonly BlockRun[];
  /** By tensor index; zero-size tensors have an empty run. */
  readonly ofTensor: readonly BlockRun[];
  /** By chunk, then by piece. */
  readonly ofPiece: readonly (readonly BlockRun[])[];
}

/** @param pieces by chunk, in flat order (`chunkPieces`) */
export function blockTable(pieces: readonly (readonly Piece[])[], tensorCount: number): BlockTable {
  const words: number[] = [];
  const ofTensor = Array.from({ length: tensorCount }, () => ({ first: 0, count: 0 }));
  const count = (): number => words.length / WORDS;
  const ofPiece = pieces.map((inChunk) =>
    inChunk.map((piece) => {
      const first = count();
      pushBlocks(words, piece);
      const run = { first, count: count() - first };
      const tensor = ofTensor[piece.tensor]!;
      if (tensor.count === 0) tensor.first = first;
      tensor.count += run.count;
      return run;
    }),
  );
  let next = 0;
  const ofChunk = ofPiece.map((runs) => {
    const chunk = { first: next, count: runs.reduce((sum, run) => sum + run.count, 0) };
    next += chunk.count;
    return chunk;
  });
  return { words: Uint32Array.from(words), blockCount: count(), ofChunk, ofTensor, ofPiece };
}

/** Cuts a piece at multiples of eight elements of the chunk, so that blocks share no unit. */
function pushBlocks(words: number[], piece: Piece): void {
  const end = piece.chunkStart + piece.elementCount;
  let start = piece.chunkStart;
  while (start < end) {
    const next = Math.min(end, start - (start % 8) + BLOCK_ELEMENTS);
    const offset = start - piece.chunkStart;
    const flat = (piece.flatStart + offset) % 2 ** 32; // used only where the space is smaller
    words.push(start, next - start, piece.tensor, piece.tensorStart + offset, flat);
    start = next;
  }
}

export { BLOCK_BYTES };
