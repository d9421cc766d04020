import { describe, expect, it } from 'vitest';
import { accuracyDomain, linearScale, logScale, logTicks, spacedTicks, tenths } from './scales';

describe('scales', () => {
  it('map ends to ends, also upside down, and survive an empty range', () => {
    const y = linearScale(0, 1, 300, 20);
    expect([y(0), y(1), y(0.5)]).toEqual([300, 20, 160]);
    expect(linearScale(2, 2, 0, 10)(2)).toBe(0);
    const x = logScale(1, 100, 0, 200);
    expect(x(10)).toBeCloseTo(100, 9);
  });

  it('give at least four round ticks wherever a factor of three is shown', () => {
    for (const low of [1.3, 870, 3.1e6, 9.99e8]) {
      for (const factor of [3, 10, 400]) {
        const ticks = logTicks(low, low * factor);
        expect(ticks.length, `${low} times ${factor}`).toBeGreaterThanOrEqual(3);
        expect(ticks).toEqual([...ticks].sort((a, b) => a - b));
        for (const tick of ticks) {
          expect(tick).toBeGreaterThanOrEqual(low);
          expect(tick).toBeLessThanOrEqual(low * factor);
        }
      }
    }
  });

  it('widen accuracies to tenths within 0..1', () => {
    expect(accuracyDomain([0.41, 0.93])).toEqual({ low: 0.3, high: 1 });
    expect(accuracyDomain([0, 1])).toEqual({ low: 0, high: 1 });
    expect(tenths(0.3, 0.6)).toEqual([0.3, 0.4, 0.5, 0.6]);
  });
});

describe('spacedTicks', () => {
  it('keeps the first tick and those far enough from the last kept', () => {
    const scale = linearScale(0, 10, 0, 100);
    expect(spacedTicks([0, 1, 2, 3, 6, 10], scale, 25)).toEqual([0, 3, 6, 10]);
    expect(spacedTicks([], scale, 25)).toEqual([]);
    expect(spacedTicks([0, 1, 2], scale, 0)).toEqual([0, 1, 2]);
  });
});
