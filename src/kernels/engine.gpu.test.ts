import { describe, expect, test } from 'vitest';
import { openDevice } from '@/gpu/device';
import { PeruError } from '@/core/errors';
import { flatLayout } from '@/tensor/layout';
import { linearMerge } from '@/tensor/merge-plan';
import { selectOne, statsOf } from '@/tensor/one-selection.fixture';
import { createGpuEngine, maxChunkElements } from './engine';
import { useEngine } from './test-device';
import { engineCases } from '@/kernels/engine-cases.fixture';
import { fakeGroup, type FakeGroupSpec, normalValues, residentGroup } from './test-group';

const SMALL: FakeGroupSpec = {
  sizes: [40, 24],
  dtypeOf: () => 'F16',
  taskCount: 2,
  maxElements: 64,
  valueOf: normalValues(1, 64, 2),
};

describe.each(engineCases())('engine on $name', (engineCase) => {
  const engine = useEngine(engineCase);

  test('reports its adapter, and memory while a group lives', () => {
    expect(engine().adapter.vendor).not.toBe('');
    const fake = residentGroup(engine(), SMALL);
    const { liveBytes, peakBytes } = engine().memory();
    expect(liveBytes).toBeGreaterThanOrEqual(3 * 64 * 2); // three checkpoints of halves
    expect(peakBytes).toBeGreaterThanOrEqual(liveBytes);
    fake.group.dispose();
    expect(engine().memory().liveBytes).toBe(0);
    expect(engine().memory().peakBytes).toBe(peakBytes);
  });

  test('a layout without entries goes through every operation', async () => {
    const layout = flatLayout([{ name: 'empty', shape: [0, 3] }]);
    const group = engine().createGroup({ layout, chunks: [], taskCount: 1 });
    await group.merge(linearMerge([1]), 'F32');
    expect([...(await group.countNonFinite(1))]).toEqual([0]);
    expect((await group.histogram('merged', 0)).counts.every((count) => count === 0)).toBe(true);
    for (const scope of ['global', 'tensor'] as const) {
      const selection = await selectOne(group, 'merged', 0, scope, 50);
      expect(selection.keptPerScope).toEqual([0]);
      expect((await statsOf(group, selection)).kept).toBe(0);
      expect((await group.keptMask(selection)).length).toBe(0);
      const sparse = { kind: 'sparse', selection, valueDtype: 'F16' } as const;
      const model = await group.materialize(sparse, 'cpu');
      expect(model.tensors.get('empty')).toMatchObject({ shape: [0, 3], data: new Float32Array() });
    }
    group.dispose();
  });

  test('a chunk takes its own number of bytes only', () => {
    const fake = residentGroup(engine(), SMALL);
    expect(() => {
      fake.group.upload(0, 0, new Uint8Array(127));
    }).toThrow(PeruError);
    expect(() => {
      fake.group.upload(3, 0, new Uint8Array(128));
    }).toThrow(PeruError);
    fake.group.dispose();
  });

  test('theta* before any merge, and a foreign selection, are refused', async () => {
    const fake = fakeGroup(engine(), SMALL);
    const other = fakeGroup(engine(), SMALL);
    await expect(fake.group.histogram('merged', 0)).rejects.toThrow(/before any merge/);
    const selection = await selectOne(other.group, 'base', 0, 'global', 10);
    await expect(statsOf(fake.group, selection)).rejects.toThrow(PeruError);
    fake.group.dispose();
    other.group.dispose();
  });

  test('operations started together do not disturb one another', async () => {
    const fake = fakeGroup(engine(), SMALL);
    await fake.group.merge(linearMerge([0.5, 0.5]), 'F32');
    const kept = async (task: number, percent: number): Promise<number> => {
      const selection = await selectOne(fake.group, 'merged', task, 'global', percent);
      const { kept } = await statsOf(fake.group, selection);
      selection.dispose();
      return kept;
    };
    const percents = [0, 25, 50, 75, 100];
    const counts = await Promise.all(
      percents.flatMap((percent) => [kept(0, percent), kept(1, percent)]),
    );
    expect(counts).toEqual([0, 0, 16, 16, 32, 32, 48, 48, 64, 64]);
    fake.group.dispose();
  });
});

describe('losing the device', () => {
  test('rejects pending and later work as device-lost, and settles `lost`', async () => {
    const handle = await openDevice();
    const engine = createGpuEngine(handle);
    const fake = fakeGroup(engine, SMALL);
    await fake.group.merge(linearMerge([0.5, 0.5]), 'F32');
    const pending = [
      fake.group.materialize({ kind: 'merged' }, 'cpu'),
      fake.group.merge(linearMerge([0.1, 0.1]), 'F32'),
      selectOne(fake.group, 'base', 0, 'global', 10),
    ];
    handle.device.destroy();
    for (const result of await Promise.allSettled(pending)) {
      expect(result).toMatchObject({ status: 'rejected', reason: { kind: 'device-lost' } });
    }
    expect(typeof (await engine.lost)).toBe('string');
    await expect(fake.group.histogram('base', 0)).rejects.toMatchObject({ kind: 'device-lost' });
    expect(() => engine.createGroup({ layout: fake.layout, chunks: [], taskCount: 2 })).toThrow(
      PeruError,
    );
    engine.dispose();
  });

  test('a new engine picks up where the lost one stopped', async () => {
    const lost = createGpuEngine(await openDevice());
    lost.dispose();
    const engine = createGpuEngine(await openDevice());
    const fake = fakeGroup(engine, SMALL);
    expect((await fake.group.histogram('base', 0)).counts.reduce((a, b) => a + b)).toBe(64);
    engine.dispose();
  });

  test('dispose is quiet', async () => {
    const handle = await openDevice();
    const engine = createGpuEngine(handle);
    engine.dispose();
    await handle.device.lost;
    const quiet = new Promise((resolve) => setTimeout(resolve, 50, 'quiet'));
    expect(await Promise.race([engine.lost, quiet])).toBe('quiet');
  });
});

describe('maxChunkElements', () => {
  const TASKS = [1, 2, 8, 20, 1000];
  const GIB = 2 ** 30;
  const adapters = [
    ['default limits', 2 ** 27, 2 ** 28],
    ['a buffer smaller than a binding', 2 ** 30, 2 ** 26],
    ['a large GPU', 2 ** 32 - 4, 2 ** 35],
  ] as const;

  test.each(adapters)('%s: bindings, buffers and dispatches are kept', (_, binding, buffer) => {
    const limits = { maxStorageBufferBindingSize: binding, maxBufferSize: buffer };
    for (const taskCount of TASKS) {
      const elements = maxChunkElements(limits, { fallback: false }, taskCount);
      expect(elements % 64).toBe(0);
      expect(elements).toBeGreaterThan(0);
      expect(4 * elements * taskCount).toBeLessThanOrEqual(Math.min(binding, buffer));
      expect(4 * elements * (taskCount + 2)).toBeLessThanOrEqual(GIB);
      expect(4 * elements).toBeLessThanOrEqual(GIB / 4);
    }
  });

  test('under a budget, what a streamed merge holds fits an eighth of it', () => {
    const limits = { maxStorageBufferBindingSize: 2 ** 31, maxBufferSize: 2 ** 32 };
    for (const taskCount of TASKS) {
      const elements = maxChunkElements(limits, { fallback: false }, taskCount, GIB);
      expect(elements % 64).toBe(0);
      expect(4 * elements * (3 * taskCount + 2)).toBeLessThanOrEqual(GIB / 8);
      expect(elements).toBeLessThanOrEqual(
        maxChunkElements(limits, { fallback: false }, taskCount),
      );
    }
  });

  test('a large GPU gets dispatches of almost 1 GiB, a software adapter of 32 MiB', () => {
    const limits = { maxStorageBufferBindingSize: 2 ** 31, maxBufferSize: 2 ** 32 };
    for (const [fallback, bytes] of [
      [false, GIB],
      [true, GIB / 32],
    ] as const) {
      const elements = maxChunkElements(limits, { fallback }, 8);
      expect(4 * elements * 10).toBeGreaterThan(0.99 * bytes);
      expect(4 * elements * 10).toBeLessThanOrEqual(bytes);
    }
  });
});
