import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type DeviceHandle, openDevice } from '@/gpu/device';
import { type ValueDtype } from '@/tensor/dtype';
import { type Engine } from '@/tensor/engine';
import { selectOne } from '@/tensor/one-selection.fixture';
import { createGpuEngine } from './engine';
import { type FakeGroup, fakeGroup, normalValues } from './test-group';

const CHUNKS = 4;
const SIZE = 4096;

/** Records the kernel of every dispatch on the device from now on. */
function watchDispatches({ device }: DeviceHandle): string[] {
  const dispatched: string[] = [];
  const createEncoder = device.createCommandEncoder.bind(device);
  device.createCommandEncoder = (descriptor) => {
    const encoder = createEncoder(descriptor);
    const beginPass = encoder.beginComputePass.bind(encoder);
    encoder.beginComputePass = (passDescriptor) => {
      const pass = beginPass(passDescriptor);
      const setPipeline = pass.setPipeline.bind(pass);
      pass.setPipeline = (pipeline) => {
        dispatched.push(pipeline.label);
        setPipeline(pipeline);
      };
      return pass;
    };
    return encoder;
  };
  return dispatched;
}

function tallied(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

describe('dispatches', () => {
  let handle: DeviceHandle;
  let engine: Engine;
  let dispatched: string[];

  beforeEach(async () => {
    handle = await openDevice();
    engine = createGpuEngine(handle, { tally: 'workgroup', jointFrom: SIZE });
    dispatched = watchDispatches(handle);
  });
  afterEach(() => {
    engine.dispose();
  });

  /** F16 all through, or with a base in F32. */
  function group(elementCount: number, baseDtype: 'F16' | 'F32' = 'F16'): FakeGroup {
    return fakeGroup(engine, {
      sizes: [elementCount - 100, 100],
      dtypeOf: (checkpoint) => (checkpoint === 0 ? baseDtype : 'F16'),
      taskCount: 1,
      maxElements: SIZE / CHUNKS + 8,
      valueOf: normalValues(1, elementCount, 1),
    });
  }

  async function during(work: () => Promise<unknown>): Promise<Record<string, number>> {
    dispatched.length = 0;
    await work();
    return tallied(dispatched);
  }

  const ties = { select_tie_count: CHUNKS, select_tie_find: CHUNKS };

  test('a large global ranking: one pass, one more to refine; a moved slider refines only', async () => {
    const fake = group(SIZE);
    expect(fake.chunks.length).toBe(CHUNKS);
    const select = (percent: number) => () => selectOne(fake.group, 'base', 0, 'global', percent);
    const refine = { histogram_cached: CHUNKS, select_fold: 1, select_threshold: 3, ...ties };
    expect(await during(select(10))).toEqual({ ...refine, histogram_workgroup: CHUNKS });
    expect(await during(select(5))).toEqual(refine);
  });

  test('a small or a per-tensor ranking refines twice', async () => {
    const [large, small] = [group(SIZE), group(SIZE - 1)];
    for (const [fake, scope] of [
      [large, 'tensor'],
      [small, 'global'],
    ] as const) {
      const select = (percent: number) => () => selectOne(fake.group, 'base', 0, scope, percent);
      const counted = { select_threshold: 3, ...ties };
      expect(await during(select(10))).toEqual({ histogram_workgroup: 3 * CHUNKS, ...counted });
      expect(await during(select(5))).toEqual({ histogram_workgroup: 2 * CHUNKS, ...counted });
    }
  });

  test('several percentages count the first digit once', async () => {
    const [large, small] = [group(3 * SIZE), group(3 * SIZE - 1)];
    const select = (fake: FakeGroup) => () => fake.group.select('base', 0, 'global', [10, 5, 1]);
    const counted = (chunks: number) => ({
      select_threshold: 9,
      select_tie_count: 3 * chunks,
      select_tie_find: 3 * chunks,
    });
    const { length } = large.chunks;
    expect(await during(select(large))).toEqual({
      ...counted(length),
      histogram_workgroup: length,
      histogram_cached: 3 * length,
      select_fold: 3,
    });
    expect(await during(select(small))).toEqual({
      ...counted(small.chunks.length),
      histogram_workgroup: (1 + 2 * 3) * small.chunks.length,
    });
  });

  test('measuring: three dispatches a chunk and selection', async () => {
    const fake = group(SIZE);
    const selections = await fake.group.select('base', 0, 'global', [10, 5]);
    const each = 2 * CHUNKS;
    const counted = { stats: each, mask: each, kept_count: each };
    expect(await during(() => fake.group.measure(selections))).toEqual(counted);
  });

  test('encoding: three dispatches a chunk, however many tensors', async () => {
    const fake = group(SIZE);
    const selection = await selectOne(fake.group, 'base', 0, 'global', 10);
    const encode = async (dtype: ValueDtype, rescaled = false): Promise<void> => {
      for await (const { kept } of fake.group.encodeKept(selection, dtype, rescaled))
        expect(kept).toBeGreaterThan(0);
    };
    const counted = { mask: CHUNKS, kept_count: CHUNKS };
    expect(await during(() => encode('F16'))).toEqual({
      ...counted,
      kept_write_value_float: CHUNKS,
    });
    const quantized = { kept_max: CHUNKS, kept_write_value_i8: CHUNKS };
    expect(await during(() => encode('I8'))).toEqual({ ...counted, ...quantized });
    const measured = { ...counted, ...quantized, stats: CHUNKS };
    expect(await during(() => encode('I8', true))).toEqual(measured);
  });

  test('weights: one dispatch a tensor and chunk, none where float32 is copied', async () => {
    const fake = group(SIZE, 'F32');
    const pieces = CHUNKS + 1; // the second tensor lies in the last chunk
    const selection = await selectOne(fake.group, 'base', 0, 'global', 10);
    const lay = (of: Parameters<typeof fake.group.materialize>[0]) => async () => {
      (await fake.group.materialize(of, 'gpu')).dispose();
    };
    const sparse = lay({ kind: 'sparse', selection, valueDtype: 'F16' });
    expect(await during(sparse)).toEqual({ apply_value_float: pieces });
    expect(await during(lay({ kind: 'task', task: 0 }))).toEqual({ decode: pieces });
    expect(await during(lay({ kind: 'base' }))).toEqual({});
  });
});
