import { describe, expect, it } from 'vitest';
import { wilsonInterval } from './wilson';

const Z = 1.959963984540054;

describe('wilsonInterval', () => {
  it('agrees with the published intervals of Newcombe (1998), table I, method 3', () => {
    const published: [number, number, number, number][] = [
      [81, 263, 0.2553, 0.3662],
      [15, 148, 0.0624, 0.1605],
      [0, 20, 0, 0.1611],
      [1, 29, 0.0061, 0.1718],
    ];
    for (const [correct, n, low, high] of published) {
      const interval = wilsonInterval(correct, n);
      expect(interval.low).toBeCloseTo(low, 4);
      expect(interval.high).toBeCloseTo(high, 4);
    }
  });

  it('ends where the share observed lies z standard errors away', () => {
    for (const [correct, n] of [
      [3, 7],
      [100, 128],
      [511, 512],
    ] as const) {
      const { low, high } = wilsonInterval(correct, n);
      for (const end of [low, high]) {
        const distance = Math.abs(correct / n - end);
        expect(distance).toBeCloseTo(Z * Math.sqrt((end * (1 - end)) / n), 12);
      }
    }
  });

  it('stays within 0..1, holds the share, and narrows as n grows', () => {
    expect(wilsonInterval(0, 0)).toEqual({ low: 0, high: 1 });
    expect(wilsonInterval(5, 5).high).toBe(1);
    expect(wilsonInterval(0, 5).low).toBe(0);
    const widths = [8, 80, 800].map((n) => {
      const { low, high } = wilsonInterval(n / 4, n);
      expect(low).toBeLessThan(0.25);
      expect(high).toBeGreaterThan(0.25);
      return high - low;
    });
    expect(widths).toEqual([...widths].sort((a, b) => b - a));
  });
});
