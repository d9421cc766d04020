/** Values as whole steps, -127 to 127: one step a tensor, from the largest value it keeps. */
import { partName } from './sparse-parts';
import { type ValueCodec, type ValueScale } from './value-codec';

/** The largest q; -128 is not used, so that signs are alike. */
const LEVELS = 127;
const F32_MIN_NORMAL = 2 ** -126;
/** Added to and taken from a small float64, it rounds to the nearest integer, ties to even. */
const ROUNDER = 1.5 * 2 ** 52;

export const I8_VALUES: ValueCodec = {
  title: '8-bit integers, one scale a tensor',
  card: 'I8, with one step a tensor',
  bytesPerValue: 1,
  wgsl: 'value_i8',
  scaleOf: i8Scale,
  entries: (name, kept) => [
    { name: partName(name, 'scale'), dtype: 'F32', shape: [1] },
    { name: partName(name, 'values'), dtype: 'I8', shape: [kept] },
  ],
  encode: (values, scale) => Uint8Array.from(values, (u) => quantize(u, scale!)),
  // + 0: what rounds to zero is +0, as it is once stored.
  loaded: (u, scale) => Math.fround((quantize(u, scale!) + 0) * scale!.step),
  decode: (bytes, step) =>
    Float32Array.from(
      new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length),
      (q) => q * step!,
    ),
};

/**
 * inverse = f32(127 / largest), step = f32(largest / 127). Both are 0 where the step would not be a
 * normal float32: nothing but zeros is kept, or next to nothing, or NaN or infinity.
 */
function i8Scale(largest: number): ValueScale {
  // Divided in float64, then rounded: for float32 operands that is float32's own division.
  const step = Math.fround(largest / LEVELS);
  if (!(step >= F32_MIN_NORMAL && step < Infinity)) return { inverse: 0, step: 0 };
  return { inverse: Math.fround(LEVELS / largest), step };
}

/** q = round(u * inverse), ties to even, within ±127; 0 where the step is 0, also of NaN. */
function quantize(u: number, { inverse, step }: ValueScale): number {
  if (step === 0) return 0;
  const q = Math.fround(u * inverse) + ROUNDER - ROUNDER;
  return Math.max(-LEVELS, Math.min(LEVELS, q));
}
