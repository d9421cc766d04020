/** A factor in one byte, 4 bits of fraction and 4 of exponent: (16 + b mod 16) 2^(floor(b / 16) - 10). */

const FRACTIONS = 16;
const BIAS = 10;

/** Exact in float32; a 64th to 992. */
export function gainOf(byte: number): number {
  return (FRACTIONS + (byte % FRACTIONS)) * 2 ** (Math.floor(byte / FRACTIONS) - BIAS);
}

const ONE = byteOf(1);

/** The nearest factor, the nearest end of the range; of NaN that of 1. */
export function gainByte(gain: number): number {
  return gain > 0 ? byteOf(gain) : ONE;
}

function byteOf(gain: number): number {
  let [low, high] = [0, 255];
  while (low < high) {
    const middle = (low + high) >> 1;
    const between = (gainOf(middle) + gainOf(middle + 1)) / 2;
    if (gain > between) low = middle + 1;
    else high = middle;
  }
  return low;
}
