/**
 * Positions of kept entries as bytes of gaps (contract: "TASK.sparse.safetensors"). A byte under
 * 255 is the distance from the last kept position, the first counting from -1; 255 adds 255 and
 * keeps none. `gap-reader.ts` reads them; shaders/kept_write.wgsl writes them on a GPU.
 */

/** The byte that adds 255 and keeps none. */
export const SKIP = 255;

/** Bytes of 255 before the byte that ends a distance. */
export function gapSkips(distance: number): number {
  return Math.floor(distance / SKIP);
}

/** Bytes one distance takes. */
export function gapBytes(distance: number): number {
  return gapSkips(distance) + 1;
}

/**
 * @param positions flat row-major positions in one tensor, strictly ascending
 * @throws RangeError when they are not
 */
export function encodeGaps(positions: ArrayLike<number>): Uint8Array<ArrayBuffer> {
  let byteLength = 0;
  let last = -1;
  for (let i = 0; i < positions.length; i++) {
    const position = positions[i]!;
    if (!(Number.isInteger(position) && position > last)) {
      throw new RangeError(`Position ${position} does not follow ${last}.`);
    }
    byteLength += gapBytes(position - last);
    last = position;
  }
  const gaps = new Uint8Array(byteLength);
  let at = 0;
  last = -1;
  for (let i = 0; i < positions.length; i++) {
    const distance = positions[i]! - last;
    const skips = gapSkips(distance);
    gaps.fill(SKIP, at, at + skips);
    gaps[at + skips] = distance - skips * SKIP;
    at += skips + 1;
    last = positions[i]!;
  }
  return gaps;
}
