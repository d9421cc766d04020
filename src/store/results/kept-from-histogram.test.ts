import { describe, expect, it } from 'vitest';
import { energyCurve, keptShare } from './kept-from-histogram';

/** Counts as the engine counts them: by the top 11 of the 31 magnitude bits. */
function histogramOf(values: Float32Array): Uint32Array {
  const counts = new Uint32Array(2048);
  const patterns = new Uint32Array(values.buffer);
  for (const pattern of patterns) {
    const bin = (pattern & 0x7fffffff) >>> 20;
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return counts;
}

/** Energy share of the k largest, by sorting everything. */
function exactShare(values: Float32Array, kept: number): number {
  const squares = [...values].map((value) => value * value).sort((a, b) => b - a);
  const sum = (list: number[]): number => list.reduce((total, square) => total + square, 0);
  return sum(squares.slice(0, kept)) / sum(squares);
}

/** A fixed sequence of uniform numbers. */
function uniforms(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
}

function gaussians(count: number, seed: number, scale: (u: number) => number): Float32Array {
  const next = uniforms(seed);
  return Float32Array.from({ length: count }, () => {
    const radius = Math.sqrt(-2 * Math.log(next()));
    return radius * Math.cos(2 * Math.PI * next()) * scale(next());
  });
}

const SAMPLES: Readonly<Record<string, Float32Array>> = {
  gaussian: gaussians(20_011, 1, () => 1e-3),
  'heavy-tailed': gaussians(20_011, 2, (u) => 1e-4 / (u * u + 1e-3)),
  'half zeros': gaussians(9_999, 3, (u) => (u < 0.5 ? 0 : 2)),
  'one value over and over': new Float32Array(501).fill(-0.3),
  subnormal: gaussians(4_001, 4, () => 1e-41),
};

describe('keptShare', () => {
  for (const [name, values] of Object.entries(SAMPLES)) {
    it(`brackets the exact energy share: ${name}`, () => {
      const curve = energyCurve(histogramOf(values));
      for (const percent of [0.1, 0.5, 1, 3.7, 5, 10, 20, 50, 99.9]) {
        const share = keptShare(curve, percent);
        const exact = exactShare(values, share.kept);
        expect(share.low).toBeLessThanOrEqual(exact + 1e-12);
        expect(share.high).toBeGreaterThanOrEqual(exact - 1e-12);
        expect(share.energyShare).toBeGreaterThanOrEqual(share.low);
        expect(share.energyShare).toBeLessThanOrEqual(share.high);
      }
    });
  }

  it('is within half a point of the exact share on task-vector-like values', () => {
    for (const values of [SAMPLES.gaussian!, SAMPLES['heavy-tailed']!]) {
      const curve = energyCurve(histogramOf(values));
      for (const percent of [0.5, 1, 5, 10, 20]) {
        const { kept, energyShare } = keptShare(curve, percent);
        expect(Math.abs(energyShare - exactShare(values, kept))).toBeLessThan(0.005);
      }
    }
  });

  it('has bounds that values at the edges of their bins reach', () => {
    const [belowHalfBin, belowOneBin] = [0.5625, 1.125].map((edge) => edge * (1 - 2 ** -24));
    const worst = [...Array<number>(10).fill(1), ...Array<number>(90).fill(belowHalfBin!)];
    const best = [...Array<number>(10).fill(belowOneBin!), ...Array<number>(90).fill(0.5)];
    for (const [list, bound] of [
      [worst, 'low'],
      [best, 'high'],
    ] as const) {
      const values = Float32Array.from(list);
      const share = keptShare(energyCurve(histogramOf(values)), 10);
      expect(share[bound]).toBeCloseTo(exactShare(values, 10), 6);
    }
  });

  it('keeps nothing at 0 %, everything at 100 %, and never less when m grows', () => {
    const curve = energyCurve(histogramOf(SAMPLES.gaussian!));
    expect(keptShare(curve, 0)).toMatchObject({ kept: 0, energyShare: 0, low: 0, high: 0 });
    const whole = keptShare(curve, 100);
    expect(whole.kept).toBe(20_011);
    expect(whole.energyShare).toBeCloseTo(1, 12);
    let before = 0;
    for (let percent = 0; percent <= 100; percent += 0.25) {
      const { energyShare } = keptShare(curve, percent);
      expect(energyShare).toBeGreaterThanOrEqual(before);
      before = energyShare;
    }
  });

  it('has an answer for no entries and for entries that are all zero', () => {
    expect(keptShare(energyCurve(new Uint32Array(2048)), 10)).toMatchObject({
      kept: 0,
      energyShare: 1,
    });
    const zeros = keptShare(energyCurve(histogramOf(new Float32Array(10))), 10);
    expect(zeros).toMatchObject({ kept: 1, energyShare: 1, low: 0, high: 1 });
  });

  it('counts Inf and NaN as entries without energy, and says how many', () => {
    const values = Float32Array.of(1, 2, Infinity, NaN);
    const curve = energyCurve(histogramOf(values));
    expect(curve.nonFiniteCount).toBe(2);
    expect(energyCurve(histogramOf(Float32Array.of(1, -3e38))).nonFiniteCount).toBe(0);
    const share = keptShare(curve, 100);
    expect(share.kept).toBe(4);
    expect(share.energyShare).toBe(1);
  });

  it('counts as the engine does: half an entry up, on the decimal that was typed', () => {
    const counts = new Array<number>(2048).fill(0);
    counts[1016] = 1500;
    // 10.5, which in binary is a little less.
    expect(keptShare(energyCurve(counts), 0.7).kept).toBe(11);
  });
});
