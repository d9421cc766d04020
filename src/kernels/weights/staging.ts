/** How much is read back at a time. */
import { BLOCK_ELEMENTS } from './blocks';
import { type ChunkMap } from './chunk-map';

/** Enough that waiting for the GPU does not count beside the copy. */
const MOST_BYTES = 16 * 2 ** 20;
const F32_BYTES = 4;
/** Bytes of 255 in a block at most, and what aligns the parts of a window. */
const SKIP_BYTES = 128;

/**
 * Bytes of one readback of encoded entries or of theta*: those of the largest chunk in float32, which
 * weights in memory take too, but no more than 16 MiB, and room for one block of entries at least.
 */
export function stagingBytes(maps: readonly ChunkMap[]): number {
  const largest = maps.reduce((most, map) => Math.max(most, map.paddedCount), 0);
  const block = (F32_BYTES + 1) * Math.min(BLOCK_ELEMENTS, largest) + SKIP_BYTES;
  return Math.max(block, Math.min(F32_BYTES * largest, MOST_BYTES));
}

/** Bytes that hold any chunk's weights in float32. */
export function chunkWeightsBytes(maps: readonly ChunkMap[]): number {
  const largest = maps.reduce((most, map) => Math.max(most, map.paddedCount), 0);
  return Math.max(F32_BYTES * largest, stagingBytes(maps));
}
