import { describe, expect, test } from 'vitest';
import { type FloatDtype } from '@/tensor/dtype';
import { type Center, type Scope, type Selection } from '@/tensor/engine';
import { keptCount } from '@/tensor/kept-count';
import { linearMerge } from '@/tensor/merge-plan';
import { selectOne, statsOf } from '@/tensor/one-selection.fixture';
import { useEngine } from '@/kernels/test-device';
import { engineCases } from '@/kernels/engine-cases.fixture';
import {
  deltas,
  type FakeGroup,
  fakeGroup,
  flatWeights,
  normalValues,
  raggedSizes,
  seeded,
  setBits,
  topByFullSort,
} from '@/kernels/test-group';

const PERCENTS = [0, 0.1, 1, 10, 50, 100];
const SCOPES: Scope[] = ['global', 'tensor'];
const MIXES: (readonly [FloatDtype, FloatDtype])[] = [
  ['F32', 'F32'],
  ['F32', 'F16'],
  ['F32', 'BF16'],
  ['F16', 'F16'],
  ['F16', 'BF16'],
  ['F16', 'F32'],
  ['BF16', 'BF16'],
  ['BF16', 'F16'],
  ['BF16', 'F32'],
];

/** Compares the engine's mask, bit by bit, with a full sort of the magnitudes. */
async function expectExactTop(fake: FakeGroup, task: number, center: Center, percents = PERCENTS) {
  const centers = await flatWeights(fake, { kind: center });
  const u = deltas(fake.values[task + 1]!, centers);
  for (const scope of SCOPES) {
    const ranges =
      scope === 'global' ? [{ flatStart: 0, elementCount: u.length }] : fake.layout.tensors;
    for (const percent of percents) {
      const selection = await selectOne(fake.group, center, task, scope, percent);
      const kept = setBits(await fake.group.keptMask(selection));
      const counts = ranges.map(({ elementCount }) => keptCount(percent, elementCount));
      const expected = ranges.flatMap(({ flatStart, elementCount }, s) =>
        topByFullSort(u, flatStart, flatStart + elementCount, counts[s]!),
      );
      expect(selection.keptPerScope).toEqual(counts);
      expect(kept, `${scope}, ${percent} %`).toEqual(expected.sort((a, b) => a - b));
      selection.dispose();
    }
  }
}

describe.each(engineCases())('select on $name', (engineCase) => {
  const engine = useEngine(engineCase);

  test.each([1, 7, 8, 9, 63, 64, 65, 257, 4099])(
    'keeps exactly the largest of %i entries, cut into tensors and chunks',
    async (size) => {
      const fake = fakeGroup(engine(), {
        sizes: raggedSizes(size),
        dtypeOf: () => 'F32',
        taskCount: 1,
        maxElements: Math.ceil(size / 3),
        valueOf: normalValues(size, size, 1),
      });
      await expectExactTop(fake, 0, 'base');
      fake.group.dispose();
    },
  );

  test('tensors of several blocks, chunks of several tensors, 70,001 entries', async () => {
    const sizes = [17, 40_003, 5, 0, 29_976];
    const fake = fakeGroup(engine(), {
      sizes,
      dtypeOf: (_, tensor) => (tensor === 2 ? 'F32' : 'BF16'),
      taskCount: 1,
      maxElements: 33_000,
      valueOf: normalValues(7, 70_001, 1),
    });
    await expectExactTop(fake, 0, 'base', [0.1, 10, 100]);
    fake.group.dispose();
  });

  test.each(MIXES)('center in %s, task in %s, around theta*', async (baseDtype, taskDtype) => {
    const size = 700;
    const fake = fakeGroup(engine(), {
      sizes: [300, 13, 387],
      dtypeOf: (checkpoint) => (checkpoint === 0 ? baseDtype : taskDtype),
      taskCount: 2,
      maxElements: 256,
      valueOf: normalValues(1, size, 2),
    });
    await fake.group.merge(linearMerge([0.5, 0.5]), baseDtype);
    await expectExactTop(fake, 1, 'merged', [1, 10, 50]);
    fake.group.dispose();
  });

  test.each([
    ['all magnitudes equal', (i: number) => (i % 2 === 0 ? 0.25 : -0.25)],
    ['all zero', () => 0],
    ['two values, most of them equal', (i: number) => (i % 10 === 3 ? 2 : 0.5)],
    ['a handful of values, as in BF16', (i: number) => Math.floor(7 * seeded(i)()) / 8],
  ])('ties enter lowest flat index first: %s', async (_, move) => {
    const size = 35_000;
    const fake = fakeGroup(engine(), {
      sizes: [9, 20_000, 14_991],
      dtypeOf: () => 'BF16',
      taskCount: 1,
      maxElements: 12_000,
      valueOf: (checkpoint, i) => (checkpoint === 0 ? 0 : move(i)),
    });
    expect(fake.layout.elementCount).toBe(size);
    await expectExactTop(fake, 0, 'base', [0, 0.1, 10, 50, 100]);
    fake.group.dispose();
  });

  test('ties are cut among more blocks than a workgroup has lanes', async () => {
    const sizes = Array.from({ length: 150 }, (_, t) => (t * 5) % 13); // a block each
    const fake = fakeGroup(engine(), {
      sizes,
      dtypeOf: () => 'F16',
      taskCount: 1,
      maxElements: 400,
      valueOf: (checkpoint, i) => (checkpoint === 0 ? 0 : Math.floor(3 * seeded(i)()) / 4),
    });
    await expectExactTop(fake, 0, 'base', [1, 33, 90]);
    fake.group.dispose();
  });

  test('more distinct magnitudes in one coarse bin than a workgroup has room for', async () => {
    const random = seeded(8);
    // All in [1, 1.125); a third of them take one of seven values.
    const values = Array.from({ length: 40_003 }, (_, i) =>
      i % 3 === 0 ? 1 + Math.floor(7 * random()) / 64 : 1 + random() / 8,
    );
    const fake = fakeGroup(engine(), {
      sizes: [30_000, 10_003],
      dtypeOf: () => 'F32',
      taskCount: 1,
      maxElements: 50_000,
      valueOf: (checkpoint, i) => (checkpoint === 0 ? 0 : values[i]!),
    });
    await expectExactTop(fake, 0, 'base', [0.1, 30, 60, 99.9]);
    fake.group.dispose();
  });

  test('F16 subnormals rank by their own size', async () => {
    const random = seeded(3);
    const codes = Array.from({ length: 600 }, () => Math.floor(1024 * random()) * 2 ** -24);
    const fake = fakeGroup(engine(), {
      sizes: [600],
      dtypeOf: () => 'F16',
      taskCount: 1,
      maxElements: 600,
      valueOf: (checkpoint, i) => (checkpoint === 0 ? 0 : codes[i]!),
    });
    await expectExactTop(fake, 0, 'base', [1, 10, 50]);
    fake.group.dispose();
  });

  test('infinities and NaN count as the largest and upset nothing', async () => {
    const fake = fakeGroup(engine(), {
      sizes: [100],
      dtypeOf: () => 'F32',
      taskCount: 1,
      maxElements: 100,
      valueOf: (checkpoint, i) => (checkpoint === 0 ? 0 : ([NaN, -Infinity][i % 50] ?? 1)),
    });
    const selection = await selectOne(fake.group, 'base', 0, 'global', 4);
    expect(selection.keptPerScope).toEqual([4]);
    expect(setBits(await fake.group.keptMask(selection))).toEqual([0, 1, 50, 51]);
    fake.group.dispose();
  });

  test('a new percentage after the first gives what a fresh engine gives', async () => {
    const spec = {
      sizes: [900, 101],
      dtypeOf: () => 'F16' as const,
      taskCount: 2,
      maxElements: 512,
      valueOf: normalValues(11, 1001, 2),
    };
    const fake = fakeGroup(engine(), spec);
    await fake.group.merge(linearMerge([0.3, 0.3]), 'F32');
    await expectExactTop(fake, 0, 'merged', [10, 1]);
    await fake.group.merge(linearMerge([0.9, 0.1]), 'F32');
    await expectExactTop(fake, 0, 'merged', [1, 10]);
    fake.group.dispose();
  });

  test('several percentages at once give what each gives alone', async () => {
    const fake = fakeGroup(engine(), {
      sizes: [9, 5000, 2991],
      dtypeOf: () => 'BF16',
      taskCount: 2,
      maxElements: 1700,
      valueOf: (checkpoint, i) => (checkpoint === 1 ? 0 : Math.floor(9 * seeded(i)()) / 8),
    });
    await fake.group.merge(linearMerge([0.3, 0.3]), 'BF16');
    const facts = async (selection: Selection) => [
      selection.keptPerScope,
      await fake.group.keptMask(selection),
    ];
    for (const center of ['merged', 'base'] as Center[]) {
      for (const scope of SCOPES) {
        const percents = [10, 0, 33, 100, 10.1];
        const together = await fake.group.select(center, 1, scope, percents);
        expect(together).toHaveLength(percents.length);
        for (const [i, percent] of percents.entries()) {
          const alone = await selectOne(fake.group, center, 1, scope, percent);
          expect(await facts(together[i]!), `${percent} %`).toEqual(await facts(alone));
        }
      }
    }
    expect(await fake.group.select('base', 0, 'global', [])).toEqual([]);
    fake.group.dispose();
  });

  test('a selection around theta* is refused after another merge', async () => {
    const fake = fakeGroup(engine(), {
      sizes: [64],
      dtypeOf: () => 'F32',
      taskCount: 1,
      maxElements: 64,
      valueOf: normalValues(2, 64, 1),
    });
    await fake.group.merge(linearMerge([1]), 'F32');
    const around = await selectOne(fake.group, 'merged', 0, 'global', 10);
    const base = await selectOne(fake.group, 'base', 0, 'global', 10);
    await fake.group.merge(linearMerge([0.5]), 'F32');
    await expect(statsOf(fake.group, around)).rejects.toThrow(/changed/);
    expect((await statsOf(fake.group, base)).kept).toBe(6);
    fake.group.dispose();
  });
});
