import { describe, expect, test } from 'vitest';
import { type DeviceHandle, openDevice } from '@/gpu/device';
import { type Engine } from '@/tensor/engine';
import { linearMerge } from '@/tensor/merge-plan';
import { selectOne, statsOf } from '@/tensor/one-selection.fixture';
import { createGpuEngine } from './engine';
import {
  type FakeGroup,
  fakeGroup,
  type FakeGroupSpec,
  flatWeights,
  normalValues,
} from './test-group';

const SIZE = 700;

/** Every operation, as numbers to compare; all but `merge` find theta* merged. */
const OPERATIONS: Readonly<Record<string, (fake: FakeGroup) => Promise<readonly number[]>>> = {
  merge: async (fake) => {
    await fake.group.merge(linearMerge([0.5, 0.25]), 'F32');
    return [...(await flatWeights(fake, { kind: 'merged' }))];
  },
  'merge to another dtype': async (fake) => {
    await fake.group.merge(linearMerge([0.5, 0.25]), 'BF16');
    return [...(await flatWeights(fake, { kind: 'merged' }))];
  },
  countNonFinite: async ({ group }) => [...(await group.countNonFinite(1))],
  histogram: async ({ group }) => [...(await group.histogram('base', 1)).counts],
  'select, stats and mask': async ({ group }) => {
    const selection = await selectOne(group, 'base', 0, 'tensor', 10);
    const { kept, keptEnergy } = await statsOf(group, selection);
    return [kept, keptEnergy, ...(await group.keptMask(selection))];
  },
  'weights on the GPU': async ({ group }) => {
    const model = await group.materialize({ kind: 'task', task: 0 }, 'gpu');
    const sizes = [...model.tensors.values()].map(({ data }) => (data as GPUBuffer).size);
    model.dispose();
    return sizes;
  },
  'weights in memory': async (fake) => [...(await flatWeights(fake, { kind: 'base' }))],
};

const SPEC: FakeGroupSpec = {
  sizes: [300, 13, 387],
  dtypeOf: () => 'F16',
  taskCount: 2,
  maxElements: 256,
  valueOf: normalValues(5, SIZE, 2),
};

/** A merged group on a device where no buffer waits for reuse. */
async function mergedGroup(handle: DeviceHandle, engine: Engine): Promise<FakeGroup> {
  const fake = fakeGroup(engine, SPEC);
  await fake.group.merge(linearMerge([1, 1]), 'F16');
  handle.buffers.trim();
  return fake;
}

/**
 * Lets the device refuse the buffer that comes after `skip` others. What comes back is invalid as
 * after exhausted memory: it has size and usage, and every use of it is an error.
 */
function refuseBuffer({ device }: DeviceHandle, skip: number) {
  const create = device.createBuffer.bind(device);
  let asked = 0;
  device.createBuffer = (descriptor) => {
    if (asked++ !== skip) return create(descriptor);
    const invalid = create({ ...descriptor, size: 2 * device.limits.maxBufferSize });
    Object.defineProperty(invalid, 'size', { value: descriptor.size });
    return invalid;
  };
  return {
    restore: () => void (device.createBuffer = create),
    happened: () => asked > skip,
  };
}

describe('after the device refused a buffer', () => {
  test.each(Object.entries(OPERATIONS))('%s succeeds when tried again', async (_, operation) => {
    const handle = await openDevice();
    const engine = createGpuEngine(handle);
    const undisturbed = await mergedGroup(handle, engine);
    const expected = await operation(undisturbed);
    undisturbed.group.dispose();
    for (let skip = 0; ; skip++) {
      const fake = await mergedGroup(handle, engine);
      const refusal = refuseBuffer(handle, skip);
      const [first] = await Promise.allSettled([operation(fake)]);
      refusal.restore();
      if (!refusal.happened()) {
        expect(skip, 'refused buffers').toBeGreaterThan(0);
        break;
      }
      expect(first, `buffer ${skip}`).toMatchObject({ status: 'rejected' });
      expect(await operation(fake), `buffer ${skip}`).toEqual(expected);
      fake.group.dispose();
      expect(handle.buffers.liveBytes, `buffer ${skip}`).toBe(0);
    }
    engine.dispose();
  });

  test('a failed merge leaves no theta*', async () => {
    const handle = await openDevice();
    const engine = createGpuEngine(handle);
    const { group } = await mergedGroup(handle, engine);
    const refusal = refuseBuffer(handle, 1);
    await expect(group.merge(linearMerge([1, 0]), 'F32')).rejects.toThrow();
    refusal.restore();
    await expect(group.histogram('merged', 0)).rejects.toThrow(/before any merge/);
    engine.dispose();
  });

  test('a group whose buffers cannot be asked for leaves no bytes behind', async () => {
    const handle = await openDevice();
    const engine = createGpuEngine(handle);
    const create = handle.device.createBuffer.bind(handle.device);
    handle.device.createBuffer = (descriptor) => {
      if (descriptor.label?.startsWith('tasks')) throw new RangeError('on purpose');
      return create(descriptor);
    };
    expect(() => fakeGroup(engine, SPEC)).toThrow('on purpose');
    expect(handle.buffers.liveBytes).toBe(0);
    engine.dispose();
  });
});
