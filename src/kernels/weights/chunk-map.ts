/**
 * Where a chunk's elements lie in its buffers: every tensor's part starts at a multiple of eight
 * elements and is padded with zeros to one (shaders/shared/block.wgsl), so that no unit of eight is
 * shared and all loads and stores are whole vectors. Flat positions, as everyone else counts them,
 * have no gaps.
 */
import { invariantError } from '@/core/errors';
import { type Chunk, type FlatLayout } from '@/tensor/layout';
import { chunkPieces, type Piece } from '@/tensor/pieces';

/** Elements of a unit, what one invocation handles at a time. */
export const UNIT_ELEMENTS = 8;

export interface PlacedPiece extends Piece {
  /** First element in the chunk's buffers, a multiple of `UNIT_ELEMENTS`. */
  readonly bufferStart: number;
}

/** Pieces without padding between them: copied to the GPU as one. */
export interface PlacedRun {
  readonly chunkStart: number;
  readonly bufferStart: number;
  readonly elementCount: number;
}

export interface ChunkMap {
  /** In flat order. */
  readonly pieces: readonly PlacedPiece[];
  readonly runs: readonly PlacedRun[];
  /** Elements of the chunk's buffers, padding included. */
  readonly paddedCount: number;
}

export function wholeUnits(elementCount: number): number {
  return Math.ceil(elementCount / UNIT_ELEMENTS) * UNIT_ELEMENTS;
}

/**
 * Places every chunk's pieces.
 *
 * @param chunks as `planChunks` makes them
 * @throws PeruError `internal` when a tensor is cut inside a unit
 */
export function chunkMaps(layout: FlatLayout, chunks: readonly Chunk[]): ChunkMap[] {
  return chunkPieces(layout, chunks).map(placePieces);
}

function placePieces(pieces: readonly Piece[]): ChunkMap {
  let paddedCount = 0;
  const placed = pieces.map((piece) => {
    if (piece.tensorStart % UNIT_ELEMENTS !== 0) {
      throw invariantError(
        `Tensor ${piece.tensor} is cut at element ${piece.tensorStart}, inside a unit.`,
      );
    }
    const bufferStart = paddedCount;
    paddedCount += wholeUnits(piece.elementCount);
    return { ...piece, bufferStart };
  });
  return { pieces: placed, runs: runsOf(placed), paddedCount };
}

function runsOf(pieces: readonly PlacedPiece[]): PlacedRun[] {
  const runs: { chunkStart: number; bufferStart: number; elementCount: number }[] = [];
  for (const { chunkStart, bufferStart, elementCount } of pieces) {
    const last = runs.at(-1);
    if (last && last.elementCount % UNIT_ELEMENTS === 0) last.elementCount += elementCount;
    else runs.push({ chunkStart, bufferStart, elementCount });
  }
  return runs;
}
