import { expect, it } from 'vitest';
import { byteRuns } from './byte-runs';

const [ONE, OTHER] = [{}, {}];
const at = (source: object, start: number, end: number) => ({ source, start, end });

/** Where the runs begin and end, and what of them nobody asked for. */
function runsOf(...[ranges, mayBe]: Parameters<typeof byteRuns>) {
  return byteRuns(ranges, mayBe).map(({ start, end, wasted }) => [start, end, wasted]);
}

it('joins ranges in the order of their file, each file for itself', () => {
  const ranges = [at(ONE, 20, 30), at(OTHER, 10, 20), at(ONE, 0, 10), at(ONE, 10, 20)];
  const [first, second] = byteRuns(ranges, ({ wasted }) => wasted === 0);
  expect(first!.ranges).toEqual([ranges[2], ranges[3], ranges[0]]);
  expect(second!.ranges).toEqual([ranges[1]]);
  expect(runsOf([], () => true)).toEqual([]);
});

it('asks of each run whether it may be, with all that lies between its ranges', () => {
  const ranges = [at(ONE, 0, 10), at(ONE, 12, 20), at(ONE, 23, 30), at(ONE, 30, 40)];
  expect(runsOf(ranges, () => true)).toEqual([[0, 40, 5]]);
  expect(runsOf(ranges, ({ wasted }) => wasted <= 2)).toEqual([
    [0, 20, 2],
    [23, 40, 0],
  ]);
  expect(runsOf(ranges, ({ start, end }) => end - start <= 20)).toEqual([
    [0, 20, 2],
    [23, 40, 0],
  ]);
});

it('tells of ranges that overlap', () => {
  const ranges = [at(ONE, 0, 10), at(ONE, 0, 10), at(ONE, 10, 20)];
  expect(runsOf(ranges, ({ wasted }) => wasted === 0)).toEqual([
    [0, 10, 0],
    [0, 20, 0],
  ]);
  expect(runsOf([at(ONE, 0, 10), at(ONE, 2, 5)], () => true)).toEqual([[0, 10, -8]]);
});
