import { describe, expect, it } from 'vitest';
import { groupRuns } from './group-runs';

const KIBI = 1024;
/** Groups of so many KiB, end to end. */
const groups = (count: number, kibi: number) =>
  Array.from({ length: count }, (_, i) => ({
    rowStart: i * 100,
    rowCount: 100,
    byteLength: kibi * KIBI,
    byteStart: i * kibi * KIBI,
    byteEnd: (i + 1) * kibi * KIBI,
  }));

const places = (...of: readonly (readonly [shard: number, group: number])[]) =>
  of.map(([shard, group]) => ({ shard, group }));
const numbers = (runs: readonly (readonly { readonly group: number }[])[]) =>
  runs.map((run) => run.map(({ group }) => group));

describe('groupRuns', () => {
  it('reads neighbours together, and what lies close, each file for itself', () => {
    const shards = [groups(10, 60), groups(10, 60)];
    const runs = groupRuns(places([1, 0], [0, 3], [0, 0], [0, 1], [0, 7], [1, 1]), shards);
    expect(numbers(runs)).toEqual([[0, 1, 3], [7], [0, 1]]);
  });

  it('reads no more at once than may lie in memory', () => {
    const all = Array.from({ length: 50 }, (_, i) => [0, i] as const);
    const runs = groupRuns(places(...all), [groups(50, 1024)]);
    expect(runs.map((run) => run.length)).toEqual([16, 16, 16, 2]);
    expect(groupRuns([], [])).toEqual([]);
  });
});
