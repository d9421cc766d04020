import { describe, expect, test } from 'vitest';
import { FLOAT_DTYPES } from '@/tensor/dtype';
import { useEngine } from '@/kernels/test-device';
import { engineCases } from '@/kernels/engine-cases.fixture';
import { fakeGroup } from '@/kernels/test-group';

describe.each(engineCases())('countNonFinite on $name', (engineCase) => {
  const engine = useEngine(engineCase);

  test.each(FLOAT_DTYPES)(
    '%s: NaN and Inf by tensor, in the checkpoint that has them',
    async (dtype) => {
      const bad = new Map([
        [0, NaN],
        [8, Infinity],
        [9, -Infinity],
        [14, NaN], // shares a unit of eight with the last entry of the first tensor
        [17, NaN],
        [20_005, NaN],
        [39_999, -Infinity],
      ]);
      const fake = fakeGroup(engine(), {
        sizes: [9, 0, 8, 1, 39_982],
        dtypeOf: () => dtype,
        taskCount: 2,
        maxElements: 20_000,
        // The largest finite values are neighbours of infinity and no part of it.
        valueOf: (checkpoint, i) => (checkpoint === 2 ? (bad.get(i) ?? 65_280) : 1),
      });
      expect([...(await fake.group.countNonFinite(0))]).toEqual([0, 0, 0, 0, 0]);
      expect([...(await fake.group.countNonFinite(1))]).toEqual([0, 0, 0, 0, 0]);
      expect([...(await fake.group.countNonFinite(2))]).toEqual([2, 0, 2, 1, 2]);
      fake.group.dispose();
    },
  );
});
