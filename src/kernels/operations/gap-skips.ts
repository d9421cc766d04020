/** Of a byte of gaps: 255 keeps none (src/export/sparse/gaps.ts). */
export const SKIP = 255;

/** Bytes of 255 before the byte that ends a distance. */
export function gapSkips(distance: number): number {
  return Math.floor(distance / SKIP);
}
