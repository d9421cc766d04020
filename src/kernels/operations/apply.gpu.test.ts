import { describe, expect, test } from 'vitest';
import { FLOAT_DTYPES } from '@/tensor/dtype';
import { type Scope } from '@/tensor/engine';
import { roundToDtype } from '@/tensor/half';
import { linearMerge } from '@/tensor/merge-plan';
import { selectOne } from '@/tensor/one-selection.fixture';
import { useEngine } from '@/kernels/test-device';
import { engineCases } from '@/kernels/engine-cases.fixture';
import {
  deltas,
  type FakeGroup,
  fakeGroup,
  flatWeights,
  normalValues,
  raggedSizes,
  setBits,
} from '@/kernels/test-group';
import { readGpuWeights } from '@/kernels/test-readback';

function bitsOf(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}

/** Base F32 and tasks F16, BF16, in tensors that lie askew in their chunks. */
function skewedGroup(engine: Parameters<typeof fakeGroup>[0], size = 4099): FakeGroup {
  return fakeGroup(engine, {
    sizes: raggedSizes(size),
    dtypeOf: (checkpoint, tensor) => {
      if (tensor === 4) return 'BF16';
      return checkpoint === 0 ? 'F32' : 'F16';
    },
    taskCount: 2,
    maxElements: 500,
    valueOf: normalValues(5, size, 2),
  });
}

/** Sum of squares of what is left between two models. */
function squaredError(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0);
}

describe.each(engineCases())('apply on $name', (engineCase) => {
  const engine = useEngine(engineCase);

  test.each(FLOAT_DTYPES)('theta* in %s: nothing kept is theta* bit for bit', async (dtype) => {
    const fake = skewedGroup(engine());
    await fake.group.merge(linearMerge([0.4, 0.4]), dtype);
    const merged = await flatWeights(fake, { kind: 'merged' });
    const selection = await selectOne(fake.group, 'merged', 0, 'global', 0);
    const sparse = await flatWeights(fake, { kind: 'sparse', selection, valueDtype: 'F16' });
    expect(bitsOf(sparse)).toEqual(bitsOf(merged));
    fake.group.dispose();
  });

  test('base and tasks come out bit for bit', async () => {
    const fake = skewedGroup(engine());
    expect(bitsOf(await flatWeights(fake, { kind: 'base' }))).toEqual(bitsOf(fake.values[0]!));
    for (const task of [0, 1]) {
      const weights = await flatWeights(fake, { kind: 'task', task });
      expect(bitsOf(weights)).toEqual(bitsOf(fake.values[task + 1]!));
    }
    fake.group.dispose();
  });

  test('everything kept in F32 is theta_t within one step', async () => {
    const fake = skewedGroup(engine());
    await fake.group.merge(linearMerge([0.4, 0.4]), 'F32');
    const selection = await selectOne(fake.group, 'merged', 1, 'tensor', 100);
    const sparse = await flatWeights(fake, { kind: 'sparse', selection, valueDtype: 'F32' });
    const merged = await flatWeights(fake, { kind: 'merged' });
    sparse.forEach((value, i) => {
      const wanted = fake.values[2]![i]!;
      // u is rounded once and the sum once: half a step of |u|, at most |merged| + |theta_t|, and
      // half a step of the result. Near each other, that is one step of theta_t.
      const step = 2 ** -24 * (Math.abs(wanted) + Math.abs(wanted - merged[i]!));
      if (!(Math.abs(value - wanted) <= step)) expect(value, `entry ${i}`).toBe(wanted);
    });
    fake.group.dispose();
  });

  test.each(['global', 'tensor'] as Scope[])(
    '%s: kept entries move by the rounded value, others not at all',
    async (scope) => {
      const fake = skewedGroup(engine());
      await fake.group.merge(linearMerge([0.4, 0.4]), 'F16');
      const merged = await flatWeights(fake, { kind: 'merged' });
      const u = deltas(fake.values[1]!, merged);
      const selection = await selectOne(fake.group, 'merged', 0, scope, 10);
      const kept = new Set(setBits(await fake.group.keptMask(selection)));
      for (const valueDtype of FLOAT_DTYPES) {
        const sparse = await flatWeights(fake, { kind: 'sparse', selection, valueDtype });
        const expected = merged.map((value, i) =>
          kept.has(i) ? Math.fround(value + roundToDtype(u[i]!, valueDtype)) : value,
        );
        expect(bitsOf(sparse), valueDtype).toEqual(bitsOf(expected));
      }
      fake.group.dispose();
    },
  );

  test('Post-Pruning: around the base, the same rules', async () => {
    const fake = skewedGroup(engine(), 257);
    const u = deltas(fake.values[2]!, fake.values[0]!);
    const selection = await selectOne(fake.group, 'base', 1, 'global', 50);
    const kept = new Set(setBits(await fake.group.keptMask(selection)));
    const sparse = await flatWeights(fake, { kind: 'sparse', selection, valueDtype: 'F32' });
    const expected = fake.values[0]!.map((v, i) => (kept.has(i) ? Math.fround(v + u[i]!) : v));
    expect(bitsOf(sparse)).toEqual(bitsOf(expected));
    fake.group.dispose();
  });

  test('at equal counts, one ranking leaves no more error than one a tensor', async () => {
    const size = 3000;
    const values = normalValues(9, size, 1);
    const fake = fakeGroup(engine(), {
      sizes: [1000, 1000, 1000],
      dtypeOf: () => 'F32',
      taskCount: 1,
      maxElements: 800,
      // Tensors that moved by very different amounts.
      valueOf: (checkpoint, i) => values(checkpoint, i) * 10 ** Math.floor(i / 1000),
    });
    const errors: number[] = [];
    for (const scope of ['global', 'tensor'] as const) {
      const selection = await selectOne(fake.group, 'base', 0, scope, 10);
      const sparse = await flatWeights(fake, { kind: 'sparse', selection, valueDtype: 'F32' });
      errors.push(squaredError(sparse, fake.values[1]!));
    }
    expect(errors[0]).toBeLessThan(errors[1]!);
    fake.group.dispose();
  });
});

const gpuCases = engineCases().filter(({ name }) => name.startsWith('webgpu'));

describe.each(gpuCases)('weights in GPU buffers on $name', (engineCase) => {
  const engine = useEngine(engineCase);

  test.each([
    ['askew', raggedSizes(4099), 500],
    ['aligned', [512, 64, 0, 1024, 8], 256],
    ['ends of tensors askew', [512, 61, 3, 100], 4096],
    ['one tensor across many chunks', [70_001], 8200],
  ])('equal those in memory: tensors %s', async (_, sizes, maxElements) => {
    const size = sizes.reduce((sum, count) => sum + count, 0);
    const fake = fakeGroup(engine(), {
      sizes,
      dtypeOf: (checkpoint) => (checkpoint === 0 ? 'F32' : 'F16'),
      taskCount: 1,
      maxElements,
      valueOf: normalValues(13, size, 1),
    });
    await fake.group.merge(linearMerge([0.5]), 'F32');
    const selection = await selectOne(fake.group, 'merged', 0, 'global', 10);
    const sparse = { kind: 'sparse', selection, valueDtype: 'BF16' } as const;
    for (const weights of [{ kind: 'task', task: 0 }, { kind: 'merged' }, sparse] as const) {
      const onGpu = await fake.group.materialize(weights, 'gpu');
      const inMemory = await fake.group.materialize(weights, 'cpu');
      expect([...onGpu.tensors.keys()]).toEqual([...inMemory.tensors.keys()]);
      for (const [name, { shape, data }] of inMemory.tensors) {
        const tensor = onGpu.tensors.get(name)!;
        expect(tensor.shape).toEqual(shape);
        const read = await readGpuWeights(engine(), tensor.data as GPUBuffer, shape[0]!);
        expect(bitsOf(read), name).toEqual(bitsOf(data as Float32Array));
      }
      onGpu.dispose();
      inMemory.dispose();
    }
    fake.group.dispose();
  });
});
