import { describe, expect, it } from 'vitest';
import { spearmanInterval } from './spearman-interval';

describe('spearmanInterval', () => {
  it('covers a known correlation about 95 times in 100', () => {
    // Ranks of two normal variables with Pearson r: rho = 6/π asin(r/2) in the limit.
    const r = 0.8;
    const truth = (6 / Math.PI) * Math.asin(r / 2);
    const normal = normalFrom(7);
    let covered = 0;
    const trials = 2000;
    for (let trial = 0; trial < trials; trial++) {
      const x = Array.from({ length: 100 }, normal);
      const y = x.map((value) => r * value + Math.sqrt(1 - r * r) * normal());
      const { low, high } = spearmanInterval(pearson(ranks(x), ranks(y)), 100);
      if (low <= truth && truth <= high) covered += 1;
    }
    expect(covered / trials).toBeGreaterThan(0.93);
    expect(covered / trials).toBeLessThan(0.97);
  });

  it('is symmetric, holds rho, narrows with n and stays within -1..1', () => {
    for (const rho of [-0.95, -0.3, 0, 0.6, 0.99]) {
      const widths = [10, 100, 1000].map((n) => {
        const { low, high } = spearmanInterval(rho, n);
        const mirrored = spearmanInterval(-rho, n);
        expect(mirrored.low).toBeCloseTo(-high, 12);
        expect(low).toBeGreaterThan(-1);
        expect(high).toBeLessThan(1);
        expect(low).toBeLessThan(rho);
        expect(high).toBeGreaterThan(rho);
        return high - low;
      });
      expect(widths).toEqual([...widths].sort((a, b) => b - a));
    }
  });

  it('says nothing from three pairs, and is a point where ranks agree entirely', () => {
    expect(spearmanInterval(0.5, 3)).toEqual({ low: -1, high: 1 });
    expect(spearmanInterval(1, 50)).toEqual({ low: 1, high: 1 });
    expect(spearmanInterval(-1, 50)).toEqual({ low: -1, high: -1 });
  });
});

/** Standard normal numbers (Box-Muller over a linear congruential generator), the same each time. */
function normalFrom(seed: number): () => number {
  let state = seed;
  const uniform = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}

function ranks(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((a, b) => values[a]! - values[b]!);
  const result = new Array<number>(values.length);
  order.forEach((index, rank) => {
    result[index] = rank;
  });
  return result;
}

function pearson(x: readonly number[], y: readonly number[]): number {
  const mean = (x.length - 1) / 2;
  let xy = 0;
  let xx = 0;
  for (let i = 0; i < x.length; i++) {
    xy += (x[i]! - mean) * (y[i]! - mean);
    xx += (x[i]! - mean) ** 2;
  }
  return xy / xx;
}
