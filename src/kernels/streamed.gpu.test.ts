import { describe, expect, test } from 'vitest';
import { openDevice } from '@/gpu/device';
import { createReferenceEngine } from '@/reference/engine';
import { type FloatDtype } from '@/tensor/dtype';
import { type Center, type Scope, type WeightsOf } from '@/tensor/engine';
import { SELECTIONS_AT_ONCE } from '@/tensor/choose-plan';
import { linearMerge } from '@/tensor/merge-plan';
import { selectOne, statsOf } from '@/tensor/one-selection.fixture';
import { createGpuEngine } from './engine';
import { useEngine } from './test-device';
import { type EngineCase, processorCases } from '@/kernels/engine-cases.fixture';
import {
  type FakeGroup,
  type FakeGroupSpec,
  flatWeights,
  normalValues,
  residentGroup,
  seeded,
  type StreamedGroup,
  streamedGroup,
} from './test-group';

const CASES: EngineCase[] = [
  ...processorCases(),
  {
    name: 'webgpu',
    open: async () => {
      const handle = await openDevice();
      return { engine: createGpuEngine(handle, { tally: 'direct', jointFrom: 2 ** 21 }), handle };
    },
  },
];

/** Sizes, dtypes and cuts that are nobody's friends; values with many ties. */
function oddSpec(seed: number): FakeGroupSpec {
  const random = seeded(seed);
  const sizes = Array.from({ length: 5 }, () => Math.floor(random() ** 2 * 2500));
  const size = sizes.reduce((sum, count) => sum + count, 0);
  const values = normalValues(seed, size, 3);
  const mixed = seed % 2 === 0;
  return {
    sizes,
    dtypeOf: (checkpoint, tensor): FloatDtype => {
      if (mixed && tensor === 2) return 'F32';
      return checkpoint === 0 ? 'F32' : 'BF16';
    },
    taskCount: 3,
    maxElements: 64 + Math.floor(random() * 900),
    valueOf: (c, i) => (seed % 3 === 0 ? Math.round(2000 * values(c, i)) / 2000 : values(c, i)),
  };
}

/** Everything a group can be asked, as plain values. */
async function everything(fake: FakeGroup): Promise<unknown[]> {
  const { group } = fake;
  const all: unknown[] = [];
  for (let c = 0; c <= 3; c++) all.push(await group.countNonFinite(c));
  await group.merge(linearMerge([0.5, -0.25, 0.125]), 'BF16');
  all.push(await flatWeights(fake, { kind: 'merged' }), await flatWeights(fake, { kind: 'base' }));
  for (const task of [0, 2]) {
    for (const center of ['merged', 'base'] as Center[]) {
      all.push(await group.histogram(center, task));
      for (const scope of ['global', 'tensor'] as Scope[]) {
        for (const percent of [0, 3, 40]) {
          const selection = await selectOne(group, center, task, scope, percent);
          const sparse: WeightsOf = { kind: 'sparse', selection, valueDtype: 'F16' };
          all.push(selection.keptPerScope, await statsOf(group, selection));
          all.push(await group.keptMask(selection));
          if (percent === 3) all.push(await flatWeights(fake, sparse));
          selection.dispose();
        }
      }
    }
    all.push(await flatWeights(fake, { kind: 'task', task }));
  }
  return all;
}

describe.each(CASES)('streamed on $name', (engineCase) => {
  const engine = useEngine(engineCase);

  test.each([2, 3])('equals resident bit for bit, whatever the budget (%i)', async (seed) => {
    const spec = oddSpec(seed);
    const resident = residentGroup(engine(), spec);
    const expected = await everything(resident);
    resident.group.dispose();
    const all = 16 * resident.layout.elementCount;
    for (const more of [0, 0.2 * all, 2 * all]) {
      const fake = streamedGroup(engine(), spec, (least) => least + more, 'BF16');
      expect(await everything(fake), `${more} bytes above the least`).toEqual(expected);
      fake.group.dispose();
      expect(engine().memory().liveBytes).toBe(0);
    }
  });

  test('masks are those of the twin', async () => {
    const spec = oddSpec(3);
    const twin = residentGroup(createReferenceEngine(), spec);
    const fake = streamedGroup(engine(), spec);
    for (const scope of ['global', 'tensor'] as Scope[]) {
      const [mine, its] = [fake, twin].map(async ({ group }) =>
        group.keptMask(await selectOne(group, 'base', 1, scope, 7)),
      );
      expect(await mine).toEqual(await its);
    }
    fake.group.dispose();
  });

  test('a selection outlives its pages, not another merge', async () => {
    const fake = streamedGroup(engine(), oddSpec(1), (least) => least);
    await fake.group.merge(linearMerge([0.5, 0.5, 0.5]), 'BF16');
    const selection = await selectOne(fake.group, 'merged', 0, 'global', 10);
    const before = await fake.group.keptMask(selection);
    await fake.group.countNonFinite(2);
    await fake.group.histogram('base', 1);
    expect(await fake.group.keptMask(selection)).toEqual(before);
    await fake.group.merge(linearMerge([0.5, 0.5, 0.5]), 'BF16');
    await expect(statsOf(fake.group, selection)).rejects.toThrow(/changed/);
    fake.group.dispose();
  });

  test('a failed read fails its operation only', async () => {
    const fake = streamedGroup(engine(), oddSpec(2), (least) => least);
    const { group, chunks } = fake;
    const coefficients = [1, 0.5, 0.25];
    await group.merge(linearMerge(coefficients), 'BF16');
    const expected = [
      await flatWeights(fake, { kind: 'merged' }),
      await group.histogram('base', 2),
    ];
    for (const bad of [
      { checkpoint: 0, chunkIndex: 0 },
      { checkpoint: 1, chunkIndex: 1 },
      { checkpoint: 3, chunkIndex: chunks.length - 1 },
    ]) {
      await group.countNonFinite(2); // takes the room that the bad page may have had
      fake.refuse(bad);
      const { checkpoint } = bad;
      await expect(group.countNonFinite(checkpoint)).rejects.toThrow(new TypeError('dropped'));
      await expect(group.merge(linearMerge(coefficients), 'BF16')).rejects.toThrow(
        new TypeError('dropped'),
      );
      await expect(group.histogram('merged', 0)).rejects.toThrow(/before any merge/);
      fake.refuse(null);
      await group.merge(linearMerge(coefficients), 'BF16');
      const again = [await flatWeights(fake, { kind: 'merged' }), await group.histogram('base', 2)];
      expect(again).toEqual(expected);
    }
    group.dispose();
  });

  test('bytes of the wrong length are a fault, and none are uploaded', async () => {
    const fake = streamedGroup(engine(), oddSpec(1));
    const { layout, chunks, budgetBytes } = fake;
    const group = engine().createGroup({
      ...{ layout, chunks, taskCount: 3 },
      streamed: { read: () => Promise.resolve(new Uint8Array(3)), budgetBytes },
    });
    await expect(group.countNonFinite(1)).rejects.toMatchObject({ kind: 'internal' });
    expect(() => {
      group.upload(0, 0, new Uint8Array(8));
    }).toThrow(/reads its own/);
    group.dispose();
    fake.group.dispose();
  });

  test('disposed of in the middle of a read, it ends with an error and holds nothing', async () => {
    const spec = oddSpec(1);
    const fake = streamedGroup(engine(), spec);
    const merging = fake.group.merge(linearMerge([1, 1, 1]), 'F32');
    const failed = expect(merging).rejects.toThrow();
    await Promise.resolve();
    fake.group.dispose();
    await failed;
    expect(engine().memory().liveBytes).toBe(0);
  });

  test('a budget below the least is told by the plan', () => {
    const { layout, chunks, group } = streamedGroup(engine(), oddSpec(2));
    group.dispose();
    const shape = { layout, chunks, taskCount: 3 };
    const { leastBytes, peakBytes } = engine().planMemory(shape, 'F16', Infinity);
    expect(engine().planMemory(shape, 'F16', peakBytes).mode).toBe('resident');
    expect(engine().planMemory(shape, 'F16', peakBytes - 1).mode).toBe('streamed');
    expect(engine().planMemory(shape, 'F16', leastBytes).mode).toBe('streamed');
    const tooSmall = engine().planMemory(shape, 'F16', leastBytes - 1);
    expect(tooSmall).toMatchObject({ mode: 'streamed', leastBytes, peakBytes: leastBytes });
  });
});

/** All a job asks of one task after another, as the worker does. */
async function wholeJob(fake: FakeGroup, taskCount: number, other: Scope): Promise<void> {
  const { group, layout } = fake;
  const valueDtype = other === 'tensor' ? 'I8' : 'F16';
  await group.merge(linearMerge(Array<number>(taskCount).fill(0.3)), 'F16');
  for (const { flatStart, elementCount } of layout.tensors)
    await group.readMerged(flatStart, elementCount);
  for (let task = 0; task < taskCount; task++) {
    for (const center of ['merged', 'base'] as Center[]) {
      await group.histogram(center, task);
      for (const scope of [...new Set<Scope>(['global', other])]) {
        const selections = await group.select(center, task, scope, [20, 1, 5, 10]);
        expect(selections).toHaveLength(SELECTIONS_AT_ONCE);
        await group.measure(selections);
        for (const selection of selections) {
          await group.keptMask(selection);
          await group.materialize({ kind: 'sparse', selection, valueDtype: 'F16' }, 'cpu');
          for await (const { kept } of group.encodeKept(selection, valueDtype))
            expect(kept).toBeGreaterThan(0);
          selection.dispose();
        }
      }
    }
  }
}

describe.each(CASES)('memory and reads on $name', (engineCase) => {
  const engine = useEngine(engineCase);

  const TASKS = 4;
  const SIZE = 120_000;
  const spec: FakeGroupSpec = {
    sizes: [60_000, 1001, 30_000, SIZE - 91_001],
    dtypeOf: () => 'F16',
    taskCount: TASKS,
    maxElements: 6000,
    valueOf: normalValues(3, SIZE, TASKS),
  };
  const checkpointBytes = 2 * SIZE;

  /** Runs a job; the peak is this one's, since each test's is higher than that of the one before. */
  async function measure(fake: FakeGroup, budgetBytes: number, scope: Scope) {
    const shape = { layout: fake.layout, chunks: fake.chunks, taskCount: TASKS };
    const plan = engine().planMemory(shape, 'F16', budgetBytes);
    await wholeJob(fake, TASKS, scope);
    fake.group.dispose();
    const { peakBytes } = engine().memory();
    expect(plan.parts.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(plan.peakBytes);
    return { plan, ratio: peakBytes / plan.peakBytes };
  }

  /** How often each checkpoint's bytes were read, on average. */
  function timesRead({ reads }: StreamedGroup): number[] {
    return Array.from({ length: TASKS + 1 }, (_, c) => {
      const bytes = reads.filter((read) => read.checkpoint === c).map((read) => read.bytes);
      return bytes.reduce((sum, count) => sum + count, 0) / checkpointBytes;
    });
  }

  test('streamed with the least: slow, within the budget', async () => {
    const fake = streamedGroup(engine(), spec, (least) => least, 'F16');
    const { plan, ratio } = await measure(fake, fake.budgetBytes, 'tensor');
    expect(plan.mode).toBe('streamed');
    expect(ratio).toBeGreaterThan(0.9);
    expect(ratio).toBeLessThanOrEqual(1);
  });

  test('streamed with room for theta*, the base and a task: all is read about twice', async () => {
    const fake = streamedGroup(engine(), spec, (least) => least + 2 * checkpointBytes, 'F16');
    const { plan, ratio } = await measure(fake, fake.budgetBytes, 'tensor');
    expect(plan.mode).toBe('streamed');
    expect(ratio).toBeGreaterThan(0.9);
    expect(ratio).toBeLessThanOrEqual(1);
    const [base, ...tasks] = timesRead(fake);
    expect(base).toBe(1);
    for (const times of tasks) expect(times).toBeLessThanOrEqual(2);
  });

  test('several percentages are read once', async () => {
    const pagesRead = async (percents: readonly number[]): Promise<number> => {
      const fake = streamedGroup(engine(), spec, (least) => least, 'F16');
      await fake.group.measure(await fake.group.select('base', 0, 'global', percents));
      fake.group.dispose();
      return fake.reads.length;
    };
    const alone = [await pagesRead([20]), await pagesRead([1]), await pagesRead([5])];
    // The walk that cuts ties goes on until the last of them is found.
    const together = await pagesRead([20, 1, 5]);
    expect(together).toBeGreaterThan(0);
    expect(together).toBeLessThanOrEqual(Math.max(...alone) + 4);
  });

  test('resident: the plan is what is held', async () => {
    const { plan, ratio } = await measure(residentGroup(engine(), spec), Infinity, 'global');
    expect(plan.mode).toBe('resident');
    expect(Math.abs(ratio - 1)).toBeLessThan(0.1);
  });
});
