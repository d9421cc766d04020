import { describe, expect, it } from 'vitest';
import { mixedOrder, pickRows } from './dataset-picks';

/** Row groups of a file. */
const groups = (rowCounts: readonly number[], byteLength: number) =>
  rowCounts.map((rowCount, i) => {
    const place = { byteStart: i * byteLength, byteEnd: (i + 1) * byteLength };
    return { rowStart: i * 100, rowCount, byteLength, ...place };
  });

const total = (picks: ReturnType<typeof pickRows>) =>
  picks.reduce((sum, { rows }) => sum + rows.length, 0);

describe('pickRows', () => {
  it('takes rows of a small split evenly from all over it', () => {
    const picks = pickRows([groups([1000, 1000], 1000), groups([500], 500)], 250);
    const rows = picks.flatMap(({ shard, group, rows: own }) =>
      own.map((row) => row + 1000 * group + 2000 * shard),
    );
    expect(rows).toHaveLength(250);
    for (const [i, row] of rows.entries()) expect(Math.abs(row - (10 * i + 5))).toBeLessThan(10);
  });

  it('takes the first rows of groups all over a large split, in its files alike', () => {
    const picks = pickRows(
      [groups(Array(100).fill(100), 1e7), groups(Array(160).fill(100), 1e7)],
      512,
    );
    expect(total(picks)).toBe(512);
    expect(picks).toHaveLength(64);
    expect(picks.every(({ rows }) => rows.length === 8 && rows[0] === 0 && rows[7] === 7)).toBe(
      true,
    );
    expect(picks.filter(({ shard }) => shard === 0)).toHaveLength(25);
  });

  it('takes more from others where a group is short', () => {
    const picks = pickRows([groups([3, 100, 100, 0, 100], 1e8)], 200);
    expect(picks.map(({ rows }) => rows.length).sort((a, b) => a - b)).toEqual([3, 65, 66, 66]);
    expect(picks.some(({ group }) => group === 3)).toBe(false);
  });

  it('reads more of a split in few groups: rows may be sorted inside them', () => {
    const [only] = pickRows([groups([26_000], 6.4e7)], 512);
    expect(only!.rows).toHaveLength(512);
    expect(only!.rows.at(-1)).toBeGreaterThan(25_000);
    const [first] = pickRows([groups([26_000], 6.4e8)], 512);
    expect(first!.rows.at(-1)).toBe(511);
  });

  it('takes all rows where there are no more', () => {
    expect(total(pickRows([groups([100, 12], 1e8)], 512))).toBe(112);
    expect(pickRows([groups([], 0)], 512)).toEqual([]);
  });
});

describe('mixedOrder', () => {
  it.each([0, 1, 2, 3, 10, 64, 100, 511, 512])('puts %i in an order of its own', (count) => {
    const order = mixedOrder(count);
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
  });

  it('spreads every beginning over the whole', () => {
    const order = mixedOrder(512);
    for (const length of [16, 32, 128]) {
      const quarters = [0, 0, 0, 0];
      for (const i of order.slice(0, length)) quarters[Math.floor(i / 128)]! += 1;
      expect(Math.max(...quarters) - Math.min(...quarters)).toBeLessThanOrEqual(3);
    }
  });
});
