/** What a report says besides its words: whether it fits, and how long it may take. Pure. */
import { type MeasuredRates } from '@/store/state/settings';
import { type Preflight } from '@/store/state/sources';

export type { Preflight };
export type PreflightCheckpoint = Preflight['checkpoints'][number];
export type Finding = Preflight['findings'][number];
export type MemoryReport = Preflight['memory'];

/** Whether the plan keeps to the budget: nothing starts that does not. */
export function fitsBudget({ peakBytes, leastBytes, budgetBytes }: MemoryReport): boolean {
  return Math.min(peakBytes, leastBytes) <= budgetBytes;
}

export interface ExpectedTime {
  readonly seconds: number;
  /** Bytes a second that it rests on. */
  readonly rate: number;
  /** `measured`: by an earlier job in this browser; `example`: an assumed line. */
  readonly from: 'measured' | 'example';
}

/** 100 Mbit/s in bytes: a line to reckon with where none was measured. */
const EXAMPLE_RATE = 12.5e6;

/**
 * Time until the weights are there: by what was measured here, else for the network by an example,
 * else unknown (null). No number is made up for this machine's own disk and GPU.
 */
export function expectedTime(
  { bytes }: Pick<Preflight, 'bytes'>,
  rates: MeasuredRates,
): ExpectedTime | null {
  const { toFetchBytes, neededBytes } = bytes;
  if (toFetchBytes > 0) {
    const rate = rates.fetched ?? EXAMPLE_RATE;
    const from = rates.fetched === null ? 'example' : 'measured';
    return { seconds: toFetchBytes / rate, rate, from };
  }
  if (rates.loaded === null) return null;
  return { seconds: neededBytes / rates.loaded, rate: rates.loaded, from: 'measured' };
}
