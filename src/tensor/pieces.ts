/** Where tensors lie inside chunks: a tensor may be cut by any number of chunk ends. */
import { type Chunk, type FlatLayout } from './layout';

/** The part of one tensor that lies in one chunk. */
export interface Piece {
  /** Index into `layout.tensors`. */
  readonly tensor: number;
  readonly elementCount: number;
  /** First element, counted from the start of the chunk, of the tensor, of the flat space. */
  readonly chunkStart: number;
  readonly tensorStart: number;
  readonly flatStart: number;
}

/** For each chunk its pieces in order. Zero-size tensors have none. */
export function chunkPieces(layout: FlatLayout, chunks: readonly Chunk[]): Piece[][] {
  const pieces: Piece[][] = [];
  let tensor = 0;
  for (const chunk of chunks) {
    const here: Piece[] = [];
    const chunkEnd = chunk.flatStart + chunk.elementCount;
    for (; tensor < layout.tensors.length; tensor++) {
      const span = layout.tensors[tensor]!;
      const end = span.flatStart + span.elementCount;
      const flatStart = Math.max(span.flatStart, chunk.flatStart);
      const elementCount = Math.min(end, chunkEnd) - flatStart;
      if (elementCount > 0) {
        const chunkStart = flatStart - chunk.flatStart;
        const tensorStart = flatStart - span.flatStart;
        here.push({ tensor, elementCount, chunkStart, tensorStart, flatStart });
      }
      if (end > chunkEnd) break; // the next chunk goes on with this tensor
    }
    pieces.push(here);
  }
  return pieces;
}
