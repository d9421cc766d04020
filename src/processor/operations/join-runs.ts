/** Joins what threads found of one tensor in parts of chunks, in flat order. */
import { gapBytes, SKIP } from '@/codecs/gaps';
import { type EncodedTensor, type KeptCount } from '@/tensor/engine';
import { type EncodedRun, type KeptRun, type StoredAs } from '../parts/questions';

/** Bytes of the gap before a run's first entry. */
function leadBytes({ first }: KeptRun, last: number): number {
  return gapBytes(first - last);
}

/** @param runs in flat order */
export function countRuns(runs: readonly KeptRun[]): KeptCount[] {
  const counts: { tensor: number; kept: number; gapBytes: number }[] = [];
  let last = -1;
  for (const run of runs) {
    let count = counts.at(-1);
    if (count?.tensor !== run.tensor) {
      count = { tensor: run.tensor, kept: 0, gapBytes: 0 };
      counts.push(count);
      last = -1;
    }
    count.kept += run.kept;
    count.gapBytes += leadBytes(run, last) + run.gapBytes;
    last = run.last;
  }
  return counts;
}

/** @param runs of one tensor, in order; at least one */
export function joinEncoded(runs: readonly EncodedRun[], storedAs: StoredAs): EncodedTensor {
  const { tensor } = runs[0]!;
  const scale = storedAs.scales?.[tensor]?.step ?? null;
  const gain = storedAs.gains?.[tensor] ?? 1;
  const [{ kept, gapBytes }] = countRuns(runs) as [KeptCount];
  const gaps = new Uint8Array(gapBytes);
  const values = new Uint8Array(runs.reduce((sum, run) => sum + run.values.byteLength, 0));
  let [atGap, atValue, last] = [0, 0, -1];
  for (const run of runs) {
    const lead = leadBytes(run, last);
    gaps.fill(SKIP, atGap, atGap + lead - 1);
    gaps[atGap + lead - 1] = (run.first - last) % SKIP;
    gaps.set(run.gaps, atGap + lead);
    values.set(run.values, atValue);
    atGap += lead + run.gaps.byteLength;
    atValue += run.values.byteLength;
    last = run.last;
  }
  return { tensor, kept, gaps, values, scale, gain };
}
