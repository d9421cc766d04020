/** All positions of a tensor at once, for tests, by the reader that reopening uses. */
import { GapReader } from './gap-reader';

/**
 * The positions that gaps stand for, row-major inside one tensor.
 *
 * @param elementCount elements of the tensor; by default positions may lie anywhere
 * @throws GapsError for positions that repeat or lie past the end, or bytes that lead to none
 */
export function decodeGaps(
  gaps: Uint8Array,
  elementCount = Number.MAX_SAFE_INTEGER,
): Uint32Array<ArrayBuffer> {
  const positions = new Uint32Array(gaps.length);
  const reader = new GapReader(elementCount);
  reader.read(gaps, positions);
  reader.end();
  return positions.slice(0, reader.count);
}
