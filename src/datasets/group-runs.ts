/** Which row groups of a split are read by one request. Pure. */
import { type RowGroupFacts } from './parquet-file';

/**
 * Bytes between groups that are read along, because another request would take as long: the Hub also
 * counts requests, and a few thousand in five minutes are all that an address has.
 */
const MOST_GAP_BYTES = 128 * 1024;
/** Longest read: many groups are held packed until they are decoded. */
const MOST_RUN_BYTES = 16 * 1024 * 1024;

/** A row group of one of a split's files. */
export interface GroupPlace {
  readonly shard: number;
  readonly group: number;
}

/** Groups of one file, in order, that lie close to each other. */
export function groupRuns<Place extends GroupPlace>(
  places: readonly Place[],
  shards: readonly (readonly RowGroupFacts[])[],
): [Place, ...Place[]][] {
  const factsOf = ({ shard, group }: GroupPlace): RowGroupFacts => shards[shard]![group]!;
  const sorted = [...places].sort((a, b) => a.shard - b.shard || a.group - b.group);
  const runs: [Place, ...Place[]][] = [];
  for (const place of sorted) {
    const run = runs.at(-1);
    if (run?.[0].shard === place.shard) {
      const { byteStart, byteEnd } = factsOf(place);
      const gap = byteStart - factsOf(run.at(-1)!).byteEnd;
      const length = byteEnd - factsOf(run[0]).byteStart;
      if (gap <= MOST_GAP_BYTES && length <= MOST_RUN_BYTES) {
        run.push(place);
        continue;
      }
    }
    runs.push([place]);
  }
  return runs;
}
