/** Which rows of a split are taken as a sample. Pure, and the same every time. */
import { type RowGroupFacts } from './parquet-file';

/** Splits up to this size are read whole, in bytes: their rows may lie anywhere. */
const SMALL_SPLIT_BYTES = 8_000_000;
/** A split in so few groups may be sorted inside them: up to this size it is read whole, too. */
const FEW_GROUPS = 16;
const FEW_GROUPS_BYTES = 100_000_000;
/** Row groups that a sample of a large split is taken from: the first rows of each. */
const MOST_GROUPS = 64;

/** Rows of one row group, ascending, counted from its first. */
export interface GroupPicks {
  readonly shard: number;
  readonly group: number;
  readonly rows: readonly number[];
}

/**
 * Chooses `count` rows, or all where there are no more: of a small split evenly among all rows, of
 * a large one the first rows of groups spread evenly over it, so that little else is read.
 *
 * @param shards row groups of each file of the split
 */
export function pickRows(
  shards: readonly (readonly RowGroupFacts[])[],
  count: number,
): GroupPicks[] {
  const groups = shards.flatMap((facts, shard) =>
    facts.map(({ rowCount, byteLength }, group) => ({ shard, group, rowCount, byteLength })),
  );
  const filled = groups.filter(({ rowCount }) => rowCount > 0);
  const bytes = filled.reduce((sum, one) => sum + one.byteLength, 0);
  const isSmall = bytes <= (filled.length < FEW_GROUPS ? FEW_GROUPS_BYTES : SMALL_SPLIT_BYTES);
  const total = filled.reduce((sum, { rowCount }) => sum + rowCount, 0);
  if (isSmall || total <= count) return evenRows(filled, total, count);
  const some = evenly(filled.length, Math.min(MOST_GROUPS, count)).map((i) => filled[i]!);
  return firstRowsOf(some, count);
}

interface Group {
  readonly shard: number;
  readonly group: number;
  readonly rowCount: number;
}

function evenRows(groups: readonly Group[], total: number, count: number): GroupPicks[] {
  const wanted = evenly(total, count);
  let start = 0;
  const picks = groups.map(({ shard, group, rowCount }) => {
    const end = start + rowCount;
    const rows = wanted.filter((row) => row >= start && row < end).map((row) => row - start);
    start = end;
    return { shard, group, rows };
  });
  return picks.filter(({ rows }) => rows.length > 0);
}

/** As many rows of each group as it takes, none more than another unless that one is short. */
function firstRowsOf(groups: readonly Group[], count: number): GroupPicks[] {
  const taken = groups.map(() => 0);
  let left = count;
  for (let more = true; left > 0 && more;) {
    more = false;
    for (const [i, { rowCount }] of groups.entries()) {
      if (left === 0 || taken[i] === rowCount) continue;
      taken[i]! += 1;
      left -= 1;
      more = true;
    }
  }
  return groups.map(({ shard, group }, i) => {
    return { shard, group, rows: Array.from({ length: taken[i]! }, (_, row) => row) };
  });
}

/** `count` of the numbers below `total`, or all, each in the middle of its share. */
function evenly(total: number, count: number): number[] {
  const most = Math.min(total, count);
  return Array.from({ length: most }, (_, i) => Math.floor(((i + 0.5) * total) / most));
}

/** The golden section: multiples of it, less their whole part, lie most evenly. */
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/**
 * An order of 0 to count - 1 of which every beginning is spread over the whole, whatever period the
 * rows have: so those scored first stand for all.
 */
export function mixedOrder(count: number): number[] {
  const places = Array.from({ length: count }, (_, i) => ({ i, at: (i * GOLDEN) % 1 }));
  const order = new Array<number>(count);
  for (const [rank, { i }] of places.sort((a, b) => a.at - b.at).entries()) order[i] = rank;
  return order;
}
