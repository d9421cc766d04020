import { describe, expect, test } from 'vitest';
import { FLOAT_DTYPES, type FloatDtype } from '@/tensor/dtype';
import { roundToDtype } from '@/tensor/half';
import { linearMerge } from '@/tensor/merge-plan';
import { useEngine } from '@/kernels/test-device';
import { engineCases } from '@/kernels/engine-cases.fixture';
import { fakeGroup, flatWeights, normalValues, raggedSizes } from '@/kernels/test-group';

/** Half a step of a value's dtype, relative and (for subnormals) absolute. */
const HALF_STEP: Record<FloatDtype, { relative: number; absolute: number }> = {
  F32: { relative: 2 ** -24, absolute: 2 ** -150 },
  F16: { relative: 2 ** -11, absolute: 2 ** -25 },
  BF16: { relative: 2 ** -8, absolute: 2 ** -134 },
};

/**
 * Checks theta* against the formula in float64. A float32 sum of T products of differences errs by
 * at most T + 2 roundings of the sum of magnitudes; then comes half a step of the dtype.
 */
function expectMerged(
  merged: Float32Array,
  values: readonly Float32Array[],
  coefficients: readonly number[],
  dtype: FloatDtype,
) {
  const { relative, absolute } = HALF_STEP[dtype];
  const [base, ...tasks] = values as [Float32Array, ...Float32Array[]];
  merged.forEach((value, i) => {
    let sum = base[i]!;
    let magnitude = Math.abs(base[i]!);
    coefficients.forEach((coefficient, t) => {
      const term = coefficient * (tasks[t]![i]! - base[i]!);
      sum += term;
      magnitude += Math.abs(term);
    });
    const tolerance =
      (tasks.length + 2) * 2 ** -24 * magnitude + relative * Math.abs(sum) + absolute;
    if (!(Math.abs(value - sum) <= tolerance)) expect(value, `entry ${i}`).toBeCloseTo(sum, 10);
    // And it is a value of the dtype.
    if (roundToDtype(value, dtype) !== value) expect.fail(`entry ${i} is not rounded to ${dtype}`);
  });
}

describe.each(engineCases())('merge on $name', (engineCase) => {
  const engine = useEngine(engineCase);

  test.each([1, 2, 8, 20])('%i tasks in mixed dtypes equal the formula', async (taskCount) => {
    const size = 4099;
    const fake = fakeGroup(engine(), {
      sizes: raggedSizes(size),
      dtypeOf: (checkpoint, tensor) => FLOAT_DTYPES[(checkpoint + (tensor > 5 ? 1 : 0)) % 3]!,
      taskCount,
      maxElements: 1000,
      valueOf: normalValues(taskCount, size, taskCount),
    });
    const coefficients = Array.from({ length: taskCount }, (_, t) => 0.3 - 0.07 * t);
    for (const dtype of FLOAT_DTYPES) {
      await fake.group.merge(linearMerge(coefficients), dtype);
      expectMerged(await flatWeights(fake, { kind: 'merged' }), fake.values, coefficients, dtype);
    }
    fake.group.dispose();
  });

  test.each([1, 7, 8, 9, 63, 64, 65, 257, 70_001])('%i entries', async (size) => {
    const fake = fakeGroup(engine(), {
      sizes: [size],
      dtypeOf: (checkpoint) => (checkpoint === 0 ? 'F16' : 'BF16'),
      taskCount: 2,
      maxElements: 32_768,
      valueOf: normalValues(size, size, 2),
    });
    await fake.group.merge(linearMerge([0.5, 0.5]), 'F16');
    expectMerged(await flatWeights(fake, { kind: 'merged' }), fake.values, [0.5, 0.5], 'F16');
    fake.group.dispose();
  });

  test.each(FLOAT_DTYPES)('every checkpoint and theta* in %s', async (dtype) => {
    const size = 5003;
    const fake = fakeGroup(engine(), {
      sizes: [2049, size - 2049],
      dtypeOf: () => dtype,
      taskCount: 3,
      maxElements: 4200,
      valueOf: normalValues(21, size, 3),
    });
    const coefficients = [0.5, -0.25, 0.125];
    await fake.group.merge(linearMerge(coefficients), dtype);
    expectMerged(await flatWeights(fake, { kind: 'merged' }), fake.values, coefficients, dtype);
    fake.group.dispose();
  });

  test('no movement is the base bit for bit; the same merge gives the same bits', async () => {
    const size = 1000;
    const fake = fakeGroup(engine(), {
      sizes: [size],
      dtypeOf: () => 'F16',
      taskCount: 3,
      maxElements: size,
      // Every F16 magnitude from zero through the subnormals upward, in both signs.
      valueOf: (checkpoint, i) => (checkpoint === 0 ? (i - 500) * 2 ** -24 : 0.1 * checkpoint),
    });
    await fake.group.merge(linearMerge([0, 0, 0]), 'F16');
    expect(await flatWeights(fake, { kind: 'merged' })).toEqual(fake.values[0]);
    await fake.group.merge(linearMerge([0.2, 0.3, 0.4]), 'BF16');
    const first = await flatWeights(fake, { kind: 'merged' });
    await fake.group.merge(linearMerge([0.2, 0.3, 0.4]), 'BF16');
    expect(await flatWeights(fake, { kind: 'merged' })).toEqual(first);
    fake.group.dispose();
  });

  test('rounds ties to even and overflows to infinity', async () => {
    // Base 0 and one task make theta* the task itself, so only the rounding is at work.
    const values = [
      1 + 2 ** -11,
      1 + 3 * 2 ** -11,
      65_519,
      65_520,
      -65_536,
      2 ** -25,
      3 * 2 ** -25,
    ];
    const fake = fakeGroup(engine(), {
      sizes: [values.length],
      dtypeOf: () => 'F32',
      taskCount: 1,
      maxElements: 8,
      valueOf: (checkpoint, i) => (checkpoint === 0 ? 0 : values[i]!),
    });
    await fake.group.merge(linearMerge([1]), 'F16');
    const merged = await flatWeights(fake, { kind: 'merged' });
    expect([...merged]).toEqual([1, 1 + 2 ** -9, 65_504, Infinity, -Infinity, 0, 2 ** -23]);
    fake.group.dispose();
  });

  test('a wrong number of coefficients is refused', async () => {
    const fake = fakeGroup(engine(), {
      sizes: [3],
      dtypeOf: () => 'F32',
      taskCount: 2,
      maxElements: 8,
      valueOf: () => 1,
    });
    await expect(fake.group.merge(linearMerge([1]), 'F32')).rejects.toThrow(/2 tasks/);
    fake.group.dispose();
  });
});
