/** Float64 twin of shaders/histogram.wgsl: task vectors, their keys, and counts of keys. */

/** Key of no entry: larger than the key of any float, NaN included. */
export const ABOVE_EVERY_KEY = 0xffff_ffff;

/** The three digits of a key, most significant first: 11, 10 and 10 bits of its 31. */
export const DIGITS = [
  { shift: 20, bins: 2048 },
  { shift: 10, bins: 1024 },
  { shift: 0, bins: 1024 },
] as const;

export type Digit = (typeof DIGITS)[number];

/** u = theta_t - center, one float32 subtraction an entry. */
export function taskVector(task: Float32Array, center: Float32Array): Float32Array<ArrayBuffer> {
  const u = new Float32Array(task.length);
  for (let i = 0; i < u.length; i++) u[i] = task[i]! - center[i]!;
  return u;
}

/** The 31 magnitude bits of each float32: they order as the magnitudes do, NaN above infinity. */
export function magnitudeKeys(u: Float32Array<ArrayBuffer>): Uint32Array {
  const keys = new Uint32Array(u.buffer.slice(0));
  for (let i = 0; i < keys.length; i++) keys[i]! &= 0x7fff_ffff;
  return keys;
}

/** Adds to `counts` the digit of every key whose more significant digits equal `prefix`. */
export function countDigits(
  counts: Uint32Array,
  keys: Uint32Array,
  digit: Digit,
  prefix: number,
): void {
  const mask = digit.bins - 1;
  const prefixShift = digit.shift + Math.log2(digit.bins);
  for (const key of keys) {
    if (key >>> prefixShift === prefix) counts[(key >>> digit.shift) & mask]!++;
  }
}
