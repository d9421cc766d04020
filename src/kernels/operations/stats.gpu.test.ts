import { describe, expect, test } from 'vitest';
import { type Scope } from '@/tensor/engine';
import { selectOne } from '@/tensor/one-selection.fixture';
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

describe.each(engineCases())('stats on $name', (engineCase) => {
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
      const stats = await fake.group.stats(selection);
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
      expect(await fake.group.stats(selection)).toEqual({
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
      const { keptEnergy, totalEnergy } = await fake.group.stats(selection);
      expect(keptEnergy).toBeGreaterThanOrEqual(before);
      if (percent === 100) expect(keptEnergy).toBe(totalEnergy);
      before = keptEnergy;
    }
    fake.group.dispose();
  });
});
