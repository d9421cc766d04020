import { expect, it } from 'vitest';
import { type AdapterReport } from '@/tensor/engine';
import { modelsOnGpu, planLanes, withEvaluation } from './evaluation-memory';

const GIB = 2 ** 30;
const RUNTIME = 80 * 2 ** 20;
/** B/32's vision tower. */
const ELEMENTS = 88_000_000;
const WEIGHTS = 4 * ELEMENTS;

const adapter = (fallback: boolean) => ({ fallback }) as AdapterReport;
const SOFTWARE = { kind: 'webgpu', adapter: adapter(true) } as const;
const GPU = { kind: 'webgpu', adapter: adapter(false) } as const;
const CORES = { most: 4, shareMemory: true };

it('counts a copy of the weights in each runtime, and those that are brought there', () => {
  expect(planLanes(CORES, SOFTWARE, ELEMENTS, 4 * GIB)).toEqual({
    label: 'Scoring in 4 threads',
    bytes: 2 * WEIGHTS + 4 * (RUNTIME + WEIGHTS),
    count: 4,
  });
  const alone = planLanes({ most: 2, shareMemory: false }, SOFTWARE, ELEMENTS, 4 * GIB);
  expect(alone).toMatchObject({ count: 2, bytes: 2 * (RUNTIME + 2 * WEIGHTS) });
});

it('takes as many threads as there is room for, and none where two do not fit', () => {
  const three = 2 * WEIGHTS + 3 * (RUNTIME + WEIGHTS);
  expect(planLanes(CORES, SOFTWARE, ELEMENTS, three).count).toBe(3);
  expect(planLanes(CORES, SOFTWARE, ELEMENTS, three - 1).count).toBe(2);
  const none = { count: 1, bytes: 0 };
  expect(planLanes(CORES, SOFTWARE, ELEMENTS, 3 * WEIGHTS + RUNTIME)).toMatchObject(none);
  expect(planLanes(CORES, SOFTWARE, ELEMENTS, -GIB)).toMatchObject(none);
  expect(planLanes({ ...CORES, most: 1 }, SOFTWARE, ELEMENTS, 4 * GIB)).toMatchObject(none);
  expect(planLanes({ ...CORES, most: 64 }, SOFTWARE, 1000, 4 * GIB).count).toBe(8);
});

it('has a GPU score without threads, three models at once', () => {
  expect(planLanes(CORES, GPU, ELEMENTS, 4 * GIB).count).toBe(1);
  expect(modelsOnGpu(GPU, ELEMENTS, true).bytes).toBe(3 * WEIGHTS);
  expect(modelsOnGpu(GPU, ELEMENTS, false).bytes).toBe(0);
  expect(modelsOnGpu(SOFTWARE, ELEMENTS, true).bytes).toBe(0);
});

it('adds a part to a plan, the largest first', () => {
  const parts = [{ label: 'Weights', bytes: 10 }];
  const plan = { mode: 'resident', peakBytes: 10, leastBytes: 10, parts } as const;
  expect(withEvaluation(plan, { label: 'Scoring', bytes: 30 })).toEqual({
    mode: 'resident',
    peakBytes: 40,
    leastBytes: 40,
    parts: [{ label: 'Scoring', bytes: 30 }, ...parts],
  });
  expect(withEvaluation(plan, { label: '', bytes: 0 })).toBe(plan);
});
