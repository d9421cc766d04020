/**
 * Rice codes of gaps (Rice and Plaunt, 1971): a gap's quotient by 2^k in unary, as so many zeros and a
 * one, and its k low bits. Quotients of a block stand together, and low bits beside values, so that both
 * are read without a loop over entries in NumPy.
 */

/** Elements between kept entries of one block: below `BLOCK_ELEMENTS`, so k is at most 18. */
export const MOST_LOW_BITS = 18;

/** Bits of all quotients, their ones included. */
export function quotientBits(gaps: Uint32Array, k: number): number {
  let bits = gaps.length;
  for (let i = 0; i < gaps.length; i++) bits += gaps[i]! >>> k;
  return bits;
}

/** The k that takes the fewest bits; the smaller of two alike. */
export function bestLowBits(gaps: Uint32Array): number {
  let [best, bestBits] = [0, Infinity];
  for (let k = 0; k <= MOST_LOW_BITS; k++) {
    const bits = quotientBits(gaps, k) + k * gaps.length;
    // Convex in k: behind the least there is nothing less.
    if (bits >= bestBits) break;
    [best, bestBits] = [k, bits];
  }
  return best;
}

/** @param into zeros, room for `quotientBits` */
export function writeQuotients(into: Uint8Array, gaps: Uint32Array, k: number): void {
  let bit = 0;
  for (let i = 0; i < gaps.length; i++) {
    bit += gaps[i]! >>> k;
    into[bit >>> 3]! |= 0x80 >>> (bit & 7);
    bit += 1;
  }
}

/** @returns quotients; null where there are not exactly so many */
export function readQuotients(bytes: Uint8Array, count: number): Uint32Array | null {
  const quotients = new Uint32Array(count);
  let [found, zeros] = [0, 0];
  for (const byte of bytes) {
    let used = 0;
    for (let rest = byte; rest !== 0;) {
      if (found === count) return null;
      const lead = Math.clz32(rest) - 24;
      quotients[found++] = zeros + lead;
      zeros = 0;
      used += lead + 1;
      rest = (rest << (lead + 1)) & 0xff;
    }
    zeros += 8 - used;
  }
  return found === count && zeros < 8 ? quotients : null;
}
