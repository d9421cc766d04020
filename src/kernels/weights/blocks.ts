/**
 * The block table (shaders/shared/block.wgsl): runs of one tensor in one chunk, short enough that a
 * workgroup each keeps a GPU evenly busy, long enough that a workgroup's fixed cost (clearing and
 * flushing a 2048-bin histogram) stays below a tenth of its reads. Kernels without such a cost give
 * a block to eight workgroups.
 */
import { type ChunkMap, type PlacedPiece, UNIT_ELEMENTS } from './chunk-map';

export const BLOCK_ELEMENTS = 16_384;
/** u32 words of a block. */
export const BLOCK_WORDS = 5;
/** Invocations of a workgroup, where a kernel has no size of its own (shaders/shared/index.wgsl). */
export const WORKGROUP_SIZE = 256;
/** Elements a workgroup handles where each of its invocations handles one unit. */
const PART_ELEMENTS = WORKGROUP_SIZE * UNIT_ELEMENTS;
/** BLOCK_PARTS of shaders/shared/block.wgsl. */
export const BLOCK_PARTS = BLOCK_ELEMENTS / PART_ELEMENTS;

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

/** @param pieces by chunk, in flat order (`chunkMaps`) */
export function blockTable(
  pieces: readonly (readonly PlacedPiece[])[],
  tensorCount: number,
): BlockTable {
  const words: number[] = [];
  const ofTensor = Array.from({ length: tensorCount }, () => ({ first: 0, count: 0 }));
  const count = (): number => words.length / BLOCK_WORDS;
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

/** Blocks of a group's table, counted without making it. */
export function blockCountOf(maps: readonly ChunkMap[]): number {
  let count = 0;
  for (const { pieces } of maps) {
    for (const { elementCount } of pieces) count += Math.ceil(elementCount / BLOCK_ELEMENTS);
  }
  return count;
}

/** All blocks of a piece but its last are full; all start at a unit, since pieces do. */
function pushBlocks(words: number[], piece: PlacedPiece): void {
  for (let offset = 0; offset < piece.elementCount; offset += BLOCK_ELEMENTS) {
    const count = Math.min(BLOCK_ELEMENTS, piece.elementCount - offset);
    const flat = (piece.flatStart + offset) % 2 ** 32; // used only where the space is smaller
    words.push(piece.bufferStart + offset, count);
    words.push(piece.tensor, piece.tensorStart + offset, flat);
  }
}
