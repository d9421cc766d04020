/** Holds one work's time against another's. */

export interface Clock {
  readonly kind: 'timestamps' | 'wall';
  /** Seconds of one run of `work`. */
  measure(work: () => Promise<void>): Promise<number>;
}

/** Work to time; `before` runs ahead of each repetition, untimed. */
export interface Timed {
  readonly work: () => Promise<void>;
  readonly before?: () => Promise<void>;
}

/** What a clock must see of a run before it is believed: browsers round times to 0.1 ms. */
const RUN_SECONDS = 0.02;
/** Repetitions of a run at most, whatever the clock says. */
const MAX_REPETITIONS = 200;
const WARM_UP_RUNS = 2;

/**
 * Runs two works in turn, so that both meet the same machine, after runs that warm up.
 *
 * @returns median seconds of one repetition of each, and the median of the pairs' ratios
 */
export async function comparePairs(clock: Clock, pairs: number, work: Timed, yardstick: Timed) {
  const taken: { seconds: number; yardstick: number }[] = [];
  for (let i = -WARM_UP_RUNS; i < pairs; i++) {
    const pair = {
      seconds: await secondsOf(clock, work),
      yardstick: await secondsOf(clock, yardstick),
    };
    if (i >= 0) taken.push(pair);
  }
  return {
    seconds: median(taken.map((pair) => pair.seconds)),
    yardstickSeconds: median(taken.map((pair) => pair.yardstick)),
    ratio: median(taken.map((pair) => pair.seconds / pair.yardstick)),
  };
}

/** Seconds of one repetition, the mean over a run long enough for the clock. */
async function secondsOf(clock: Clock, { work, before }: Timed): Promise<number> {
  let [seconds, repetitions] = [0, 0];
  while (seconds < RUN_SECONDS && repetitions < MAX_REPETITIONS) {
    await before?.();
    seconds += await clock.measure(work);
    repetitions++;
  }
  return seconds / repetitions;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1]!;
}
