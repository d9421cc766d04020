import { expect, test } from 'vitest';
import { type Clock, comparePairs } from './pairs';

/** A clock on which each work takes what it says. */
function fakeClock() {
  const log: string[] = [];
  let now = 0;
  const takes = (name: string, seconds: number) => async (): Promise<void> => {
    now += seconds;
    log.push(name);
    return Promise.resolve();
  };
  const clock: Clock = {
    kind: 'wall',
    measure: async (work) => {
      const start = now;
      await work();
      return now - start;
    },
  };
  return { clock, log, takes };
}

test('fast works are repeated until the clock sees 20 ms, preparation untimed', async () => {
  const { clock, log, takes } = fakeClock();
  const work = { before: takes('before', 1), work: takes('work', 0.006) };
  const result = await comparePairs(clock, 3, work, { work: takes('copy', 0.025) });
  expect(result.seconds).toBeCloseTo(0.006);
  expect(result.yardstickSeconds).toBeCloseTo(0.025);
  expect(result.ratio).toBeCloseTo(0.24);
  const pair = [...Array.from({ length: 4 }, () => ['before', 'work']).flat(), 'copy'];
  expect(log).toEqual(Array.from({ length: 5 }, () => pair).flat()); // two pairs warm up
});

test('a clock that stands still ends the run', async () => {
  const { clock, log, takes } = fakeClock();
  await comparePairs(clock, 1, { work: takes('work', 0) }, { work: takes('copy', 1) });
  expect(log.filter((name) => name === 'work').length).toBe(600);
});
