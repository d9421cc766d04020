import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { flatLayout } from '@/tensor/layout';
import { entropyBytes, indexCost } from './index-cost';
import { keptCosts } from './kept-costs.fixture';

/** A mask in which each entry is kept with chance `share`, from a seed (mulberry32). */
function randomMask(elementCount: number, share: number, seed: number): Uint32Array {
  const mask = new Uint32Array(Math.ceil(elementCount / 32));
  let state = seed;
  for (let i = 0; i < elementCount; i++) {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    if (((x ^ (x >>> 14)) >>> 0) / 2 ** 32 < share) mask[i >> 5]! |= 1 << (i & 31);
  }
  return mask;
}

/**
 * Bytes that gaps take on average where each of N entries is kept with the same chance: a distance
 * d is geometric, and takes one byte and one for every 255 in it, so
 * E = p N (1 + (1 - p)^254 / (1 - (1 - p)^255)).
 */
function expectedGapBytes(share: number, elementCount: number): number {
  const none = 1 - share;
  return share * elementCount * (1 + none ** 254 / (1 - none ** 255));
}

/** log2 of the number of ways to choose k of n, by sums of logarithms. */
function log2Choices(n: number, k: number): number {
  let bits = 0;
  for (let i = 1; i <= k; i++) bits += Math.log2((n - k + i) / i);
  return bits;
}

describe('entropyBytes', () => {
  it.each([
    [0.01, 8.08],
    [0.05, 5.73],
    [0.1, 4.69],
  ])('at %d kept is %d bits an entry', (share, bits) => {
    const n = 87_456_000;
    expect((8 * entropyBytes(share * n, n)) / (share * n)).toBeCloseTo(bits, 2);
  });

  it('is just above the logarithm of the number of choices', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3000 }), fc.nat(), (n, seed) => {
        const k = seed % (n + 1);
        const bits = 8 * entropyBytes(k, n);
        expect(bits).toBeGreaterThanOrEqual(log2Choices(n, k) - 1e-6);
        // Stirling: the two differ by at most log2(n + 1).
        expect(bits).toBeLessThanOrEqual(log2Choices(n, k) + Math.log2(n + 1) + 1e-6);
      }),
    );
  });

  it('is nothing where nothing is chosen', () => {
    expect([entropyBytes(0, 10), entropyBytes(10, 10), entropyBytes(0, 0)]).toEqual([0, 0, 0]);
  });
});

describe('indexCost', () => {
  const layout = flatLayout([{ name: 'a', shape: [400_000] }]);

  it.each([
    // Bytes of gaps for one of the bound, from the chances of a distance of 255 or more.
    [0.01, 1.074],
    [0.05, 1.397],
    [0.1, 1.706],
  ])('of random positions at %d is %d times the bound', (share, ratio) => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const costs = keptCosts(layout, randomMask(layout.elementCount, share, seed));
        const cost = indexCost(costs, layout.elementCount);
        expect(cost.gapBytes).toBeGreaterThanOrEqual(cost.kept);
        expect(cost.gapBytes).toBeGreaterThanOrEqual(cost.entropyBytes);
        expect(cost.gapBytes / cost.entropyBytes).toBeGreaterThan(ratio - 0.05);
        expect(cost.gapBytes / cost.entropyBytes).toBeLessThan(ratio + 0.05);
        const expected = expectedGapBytes(cost.kept / layout.elementCount, layout.elementCount);
        expect(Math.abs(cost.gapBytes / expected - 1)).toBeLessThan(0.01);
      }),
      { numRuns: 5 },
    );
  });

  it('adds up over tensors', () => {
    const costs = [
      { name: 'a', kept: 2, gapBytes: 3 },
      { name: 'b', kept: 1, gapBytes: 1 },
    ];
    expect(indexCost(costs, 6)).toEqual({ kept: 3, gapBytes: 4, entropyBytes: 6 / 8 });
  });
});
