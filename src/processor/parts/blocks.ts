/**
 * How chunks are shared out: every thread owns one part of each chunk, a run of whole blocks. Parts
 * and blocks are known from the layout alone, so engine and threads agree without a word.
 */
import { type Chunk, type FlatLayout } from '@/tensor/layout';
import { chunkPieces, type Piece } from '@/tensor/pieces';

/** Elements worked on at once: in float32 64 KiB, which stays in a core's own cache. */
export const BLOCK_ELEMENTS = 16_384;

/** What decides which part a thread has. */
export interface Share {
  /** Index of the thread among `parts`. */
  readonly part: number;
  readonly parts: number;
  /** Parts begin at multiples of so many elements of their chunk. */
  readonly cutAt: number;
}

/** A run of a chunk, counted from the chunk's start. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** At most `BLOCK_ELEMENTS` of one tensor, in one part of one chunk. */
export interface Block {
  readonly tensor: number;
  readonly elementCount: number;
  /** First element, counted from the start of the part, of the tensor, of the flat space. */
  readonly partStart: number;
  readonly tensorStart: number;
  readonly flatStart: number;
}

/** The part of a chunk that a thread owns; empty where there are fewer cuts than threads. */
export function partOf({ elementCount }: Pick<Chunk, 'elementCount'>, share: Share): Range {
  const { part, parts, cutAt } = share;
  const steps = Math.ceil(elementCount / cutAt);
  const cut = (p: number): number =>
    Math.min(elementCount, Math.floor((steps * p) / parts) * cutAt);
  return { start: cut(part), end: cut(part + 1) };
}

/** For each chunk the blocks of a part, in order; they do not depend on how many parts there are. */
export function partBlocks(
  layout: FlatLayout,
  chunks: readonly Chunk[],
  share: Share,
): readonly (readonly Block[])[] {
  return chunkPieces(layout, chunks).map((pieces, c) => {
    const range = partOf(chunks[c]!, share);
    return pieces.flatMap((piece) => blocksOf(piece, range));
  });
}

function blocksOf(piece: Piece, range: Range): Block[] {
  const blocks: Block[] = [];
  const pieceEnd = Math.min(range.end, piece.chunkStart + piece.elementCount);
  let start = Math.max(range.start, piece.chunkStart);
  while (start < pieceEnd) {
    const gridEnd = (Math.floor(start / BLOCK_ELEMENTS) + 1) * BLOCK_ELEMENTS;
    const end = Math.min(pieceEnd, gridEnd);
    blocks.push({
      tensor: piece.tensor,
      elementCount: end - start,
      partStart: start - range.start,
      tensorStart: piece.tensorStart + start - piece.chunkStart,
      flatStart: piece.flatStart + start - piece.chunkStart,
    });
    start = end;
  }
  return blocks;
}
