/** Which ranges of files are read together: each run is one read, for remote files a request. */

export interface ByteRange {
  /** The file, which is not looked into. */
  readonly source: object;
  /** Bytes [start, end). */
  readonly start: number;
  readonly end: number;
}

/** From the first byte of some ranges to the last. */
interface Extent {
  readonly start: number;
  readonly end: number;
  /** Bytes between the ranges, read and thrown away; below 0 where they overlap. */
  readonly wasted: number;
}

export interface ByteRun<Range extends ByteRange> extends Extent {
  /** Of one file, in the order in which they lie there. */
  readonly ranges: readonly [Range, ...Range[]];
}

interface OpenRun<Range> {
  readonly ranges: [Range, ...Range[]];
  extent: Extent;
}

/** Joins each range to the one before it in its file where the run may be as it then is. */
export function byteRuns<Range extends ByteRange>(
  ranges: readonly Range[],
  mayBe: (run: Extent) => boolean,
): ByteRun<Range>[] {
  const byFile = new Map<object, OpenRun<Range>[]>();
  for (const range of [...ranges].sort((a, b) => a.start - b.start)) {
    const runs = byFile.get(range.source) ?? [];
    byFile.set(range.source, runs);
    const run = runs.at(-1);
    const longer = run === undefined ? null : extended(run.extent, range);
    if (run !== undefined && longer !== null && mayBe(longer)) {
      run.ranges.push(range);
      run.extent = longer;
    } else {
      runs.push({ ranges: [range], extent: { start: range.start, end: range.end, wasted: 0 } });
    }
  }
  return [...byFile.values()].flat().map((run) => ({ ranges: run.ranges, ...run.extent }));
}

function extended({ start, end, wasted }: Extent, range: ByteRange): Extent {
  return { start, end: Math.max(end, range.end), wasted: wasted + range.start - end };
}
