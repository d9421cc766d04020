import { expect, test } from 'vitest';
import { choosePlan, type MemoryNeeds } from './choose-plan';

const NEEDS: MemoryNeeds = {
  merged: 100e6,
  tables: 1e6,
  weights: 902e6,
  residentWork: 50e6,
  pages: 900e6,
  largestChunk: 30e6,
  streamedWork: 40e6,
};
const RESIDENT = 1053e6;
const LEAST = 171e6;

test.each([
  [2e9, 'resident', RESIDENT],
  [RESIDENT, 'resident', RESIDENT],
  [RESIDENT - 1, 'streamed', 1041e6],
  [500e6, 'streamed', 500e6],
  [LEAST, 'streamed', LEAST],
] as const)('a budget of %d bytes: %s, at most %d', (budget, mode, peakBytes) => {
  const plan = choosePlan(NEEDS, budget);
  expect(plan).toMatchObject({ mode, peakBytes, leastBytes: LEAST });
  const bytes = plan.parts.map((part) => part.bytes);
  expect(bytes.reduce((sum, count) => sum + count, 0)).toBe(peakBytes);
  expect(bytes).toEqual([...bytes].sort((a, b) => b - a));
});

test('less than the least gives a plan that says what would be enough', () => {
  for (const budget of [LEAST - 1, 1, 0, -5e6]) {
    const plan = choosePlan(NEEDS, budget);
    expect(plan).toMatchObject({ mode: 'streamed', leastBytes: LEAST, peakBytes: LEAST });
  }
});
