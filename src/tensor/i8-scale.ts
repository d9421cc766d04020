/** The step of I8 values: one a tensor, from the largest value it keeps. */

/** The largest q; -128 is not used, so that signs are alike. */
export const I8_LEVELS = 127;
const F32_MIN_NORMAL = 2 ** -126;

/** Factors of q = round(u * inverse) and value = q * step; both float32, both 0 where step is. */
export interface I8Scale {
  readonly inverse: number;
  readonly step: number;
}

/**
 * inverse = f32(127 / largest), step = f32(largest / 127). Both are 0 where the step would not be a
 * normal float32: nothing but zeros is kept, or next to nothing, or NaN or infinity.
 *
 * @param largest the largest |u| kept in a tensor, a float32; NaN where one is kept
 */
export function i8Scale(largest: number): I8Scale {
  // Divided in float64, then rounded: for float32 operands that is float32's own division.
  const step = Math.fround(largest / I8_LEVELS);
  if (!(step >= F32_MIN_NORMAL && step < Infinity)) return { inverse: 0, step: 0 };
  return { inverse: Math.fround(I8_LEVELS / largest), step };
}
