/** Float64 twin of shaders/shared/value_i8.wgsl. */
import { I8_LEVELS, type I8Scale } from '@/tensor/i8-scale';

/** Added to and taken from a small float64, it rounds to the nearest integer, ties to even. */
const ROUNDER = 1.5 * 2 ** 52;

/** q = round(u * inverse), ties to even, within ±127; 0 where the step is 0, also of NaN. */
export function quantize(u: number, { inverse, step }: I8Scale): number {
  if (step === 0) return 0;
  const q = Math.fround(u * inverse) + ROUNDER - ROUNDER;
  return Math.max(-I8_LEVELS, Math.min(I8_LEVELS, q));
}

/** f32(q * step), with +0 for what rounds to zero: what a loader adds. */
export function i8Value(u: number, scale: I8Scale): number {
  return Math.fround((quantize(u, scale) + 0) * scale.step);
}
