import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseRanks, keptEnergyShare, type ModuleSpectrum } from './peru-lora';

/** Descending singular values in whole numbers, so that sums are exact. */
const values = fc
  .array(fc.integer({ min: 0, max: 50 }), { maxLength: 5 })
  .map((list) => list.sort((a, b) => b - a));

function spectra(bytes: fc.Arbitrary<number>): fc.Arbitrary<ModuleSpectrum[]> {
  return fc.array(fc.record({ values, bytesPerTriplet: bytes }), { maxLength: 4 });
}

function squaredError(modules: readonly ModuleSpectrum[], ranks: readonly number[]): number {
  return modules.reduce(
    (sum, { values: list }, i) =>
      sum + Array.from(list).reduce((rest, value, k) => rest + (k < ranks[i]! ? 0 : value ** 2), 0),
    0,
  );
}

function cost(modules: readonly ModuleSpectrum[], ranks: readonly number[]): number {
  return modules.reduce((sum, { bytesPerTriplet }, i) => sum + bytesPerTriplet * ranks[i]!, 0);
}

/** Every choice of ranks, one prefix a module. */
function allRanks(modules: readonly ModuleSpectrum[]): number[][] {
  return modules.reduce<number[][]>(
    (choices, { values: list }) =>
      choices.flatMap((ranks) => Array.from({ length: list.length + 1 }, (_, q) => [...ranks, q])),
    [[]],
  );
}

function leastError(modules: readonly ModuleSpectrum[], budget: number): number {
  const affordable = allRanks(modules).filter((ranks) => cost(modules, ranks) <= budget);
  return Math.min(...affordable.map((ranks) => squaredError(modules, ranks)));
}

describe('a rank by count', () => {
  it('is q, or all a module has', () => {
    const modules = [4, 2, 0].map((length) => ({
      values: new Array<number>(length).fill(1),
      bytesPerTriplet: 8,
    }));
    expect(chooseRanks(modules, { by: 'count', q: 3 })).toEqual([3, 2, 0]);
  });
});

describe('a rank by energy', () => {
  it('is the least that holds the share', () => {
    fc.assert(
      fc.property(spectra(fc.constant(8)), fc.integer({ min: 1, max: 100 }), (modules, percent) => {
        const ranks = chooseRanks(modules, { by: 'energy', percent });
        for (const [i, module] of modules.entries()) {
          const rank = ranks[i]!;
          expect(keptEnergyShare([module], [rank])).toBeGreaterThanOrEqual(percent / 100 - 1e-12);
          if (rank > 1) expect(keptEnergyShare([module], [rank - 1])).toBeLessThan(percent / 100);
        }
      }),
    );
  });
});

describe('a rank by norm or by ratio', () => {
  it('is one more than the least that does, as sd-scripts counts', () => {
    const modules = [{ values: [4, 2, 2, 1, 1], bytesPerTriplet: 8 }];
    // Squares 16, 4, 4, 1, 1 of 26: 20 / 26 is the square of 0.877.
    expect(chooseRanks(modules, { by: 'fro', share: 0.87 })).toEqual([3]);
    expect(chooseRanks(modules, { by: 'fro', share: 0.88 })).toEqual([4]);
    expect(chooseRanks(modules, { by: 'fro', share: 1 })).toEqual([5]);
    // σ above 2 is 4 alone: the threshold itself is not above it.
    expect(chooseRanks(modules, { by: 'ratio', ratio: 2 })).toEqual([2]);
    expect(chooseRanks(modules, { by: 'ratio', ratio: 2.5 })).toEqual([4]);
    expect(chooseRanks(modules, { by: 'ratio', ratio: 1 })).toEqual([2]);
  });

  it('is one of a module that changes nothing, and none of one without triplets', () => {
    const modules = [[0, 0], [1e-7], []].map((values) => ({ values, bytesPerTriplet: 8 }));
    for (const choice of [
      { by: 'fro', share: 0.9 },
      { by: 'ratio', ratio: 10 },
    ] as const) {
      expect(chooseRanks(modules, choice)).toEqual([1, 1, 0]);
    }
  });
});

describe('ranks by a budget of bytes', () => {
  it('leave the least error where all triplets cost the same', () => {
    fc.assert(
      fc.property(spectra(fc.constant(10)), fc.integer({ min: 0, max: 120 }), (modules, budget) => {
        const ranks = chooseRanks(modules, { by: 'bytes', budget });
        expect(cost(modules, ranks)).toBeLessThanOrEqual(budget);
        expect(squaredError(modules, ranks)).toBe(leastError(modules, budget));
      }),
    );
  });

  it('come within one triplet of the least error where costs differ', () => {
    const bytes = fc.integer({ min: 1, max: 20 });
    fc.assert(
      fc.property(spectra(bytes), fc.integer({ min: 0, max: 120 }), (modules, budget) => {
        const ranks = chooseRanks(modules, { by: 'bytes', budget });
        expect(cost(modules, ranks)).toBeLessThanOrEqual(budget);
        const largest = Math.max(0, ...modules.map(({ values: list }) => (list[0] ?? 0) ** 2));
        const error = squaredError(modules, ranks);
        expect(error).toBeLessThanOrEqual(leastError(modules, budget) + largest);
      }),
    );
  });

  it('spend nothing on triplets that add nothing', () => {
    const modules = [{ values: [3, 0, 0], bytesPerTriplet: 4 }];
    expect(chooseRanks(modules, { by: 'bytes', budget: 100 })).toEqual([1]);
  });
});

it('keeps all of nothing', () => {
  expect(keptEnergyShare([{ values: [0, 0], bytesPerTriplet: 8 }], [0])).toBe(1);
});
