import { describe, expect, test } from 'vitest';
import { type Center, type Scope } from '@/tensor/engine';
import { linearMerge } from '@/tensor/merge-plan';
import { selectOne, statsOf } from '@/tensor/one-selection.fixture';
import { useEngine } from '@/kernels/test-device';
import { engineCases } from '@/kernels/engine-cases.fixture';
import { deltas, fakeGroup, normalValues, raggedSizes, topByFullSort } from '@/kernels/test-group';

/**
 * A block of at most 16,384 squares is summed in float32: 1024 in each of 16 invocations (on GPUs 64
 * in each of 256), then at most 32 more sums: at most 1056 roundings of 2^-24 after that of each
 * square, on positive numbers.
 */
const ENERGY_TOLERANCE = 1057 * 2 ** -24;

function energy(u: Float32Array, indices: readonly number[]): number {
  return indices.reduce((sum, i) => sum + u[i]! ** 2, 0);
}

describe.each(engineCases())('measure on $name', (engineCase) => {
  const engine = useEngine(engineCase);

  test.each([1, 9, 257, 70_001])('%i entries: counts exact, energies to float32', async (size) => {
    const fake = fakeGroup(engine(), {
      sizes: raggedSizes(size),
      dtypeOf: (checkpoint) => (checkpoint === 0 ? 'F32' : 'F16'),
      taskCount: 1,
      maxElements: 33_000,
      valueOf: normalValues(size, size, 1),
    });
    const u = deltas(fake.values[1]!, fake.values[0]!);
    const all = u.map((_, i) => i);
    for (const percent of [0, 10, 100]) {
      const selection = await selectOne(fake.group, 'base', 0, 'global', percent);
      const stats = await statsOf(fake.group, selection);
      const top = topByFullSort(u, 0, size, selection.keptPerScope[0]!);
      const total = energy(u, [...all]);
      expect(stats.kept).toBe(top.length);
      expect(stats.nonZero).toBe(top.filter((i) => u[i] !== 0).length);
      expect(Math.abs(stats.totalEnergy - total)).toBeLessThanOrEqual(ENERGY_TOLERANCE * total);
      const keptError = Math.abs(stats.keptEnergy - energy(u, top));
      expect(keptError).toBeLessThanOrEqual(ENERGY_TOLERANCE * total);
      selection.dispose();
    }
    fake.group.dispose();
  });

  test('zeros among the kept are told apart', async () => {
    const fake = fakeGroup(engine(), {
      sizes: [50, 50],
      dtypeOf: () => 'BF16',
      taskCount: 1,
      maxElements: 64,
      valueOf: (checkpoint, i) => (checkpoint === 1 && i % 10 === 0 ? -2 : 0),
    });
    for (const scope of ['global', 'tensor'] as Scope[]) {
      const selection = await selectOne(fake.group, 'base', 0, scope, 50);
      expect(await statsOf(fake.group, selection)).toEqual({
        kept: 50,
        nonZero: 10,
        keptEnergy: 40,
        totalEnergy: 40,
      });
    }
    fake.group.dispose();
  });

  test('kept energy never falls as m grows, and ends at the total', async () => {
    const fake = fakeGroup(engine(), {
      sizes: [1000, 24],
      dtypeOf: () => 'F32',
      taskCount: 1,
      maxElements: 512,
      valueOf: normalValues(4, 1024, 1),
    });
    let before = -1;
    for (const percent of [0, 0.1, 1, 5, 10, 50, 99.9, 100]) {
      const selection = await selectOne(fake.group, 'base', 0, 'global', percent);
      const { keptEnergy, totalEnergy } = await statsOf(fake.group, selection);
      expect(keptEnergy).toBeGreaterThanOrEqual(before);
      if (percent === 100) expect(keptEnergy).toBe(totalEnergy);
      before = keptEnergy;
    }
    fake.group.dispose();
  });

  test('several selections at once give what each gives alone, counts of tensors included', async () => {
    const fake = fakeGroup(engine(), {
      sizes: [0, 700, 3, 40_003, 0, 1290],
      dtypeOf: () => 'F16',
      taskCount: 2,
      maxElements: 17_000,
      valueOf: normalValues(6, 41_996, 2),
    });
    await fake.group.merge(linearMerge([0.5, 0.5]), 'F16');
    for (const center of ['merged', 'base'] as Center[]) {
      const global = await fake.group.select(center, 1, 'global', [10, 0, 0.01, 100]);
      const selections = [...global, await selectOne(fake.group, center, 1, 'tensor', 3)];
      const together = await fake.group.measure(selections);
      const alone = [];
      for (const selection of selections) alone.push(...(await fake.group.measure([selection])));
      expect(together).toEqual(alone);
      expect(together[1]!.counts).toEqual([]);
      expect(together[3]!.counts.map(({ tensor }) => tensor)).toEqual([1, 2, 3, 5]);
      const sums = together.map(({ counts }) => counts.reduce((sum, { kept }) => sum + kept, 0));
      expect(sums).toEqual(together.map(({ stats }) => stats.kept));
    }
    expect(await fake.group.measure([])).toEqual([]);
    fake.group.dispose();
  });

  test('selections of several task vectors are refused', async () => {
    const fake = fakeGroup(engine(), {
      sizes: [64],
      dtypeOf: () => 'F32',
      taskCount: 2,
      maxElements: 64,
      valueOf: normalValues(2, 64, 2),
    });
    const one = await selectOne(fake.group, 'base', 0, 'global', 10);
    const other = await selectOne(fake.group, 'base', 1, 'global', 10);
    await expect(fake.group.measure([one, other])).rejects.toThrow(/several task vectors/);
    fake.group.dispose();
  });
});
