/** How fast a job goes and when it ends, from its progress reports. Pure. */
import { type Progress } from '@/worker/protocol';

export type { Progress };

export interface Pace {
  readonly progress: Progress;
  /** When this count was first heard of, and how far it was then. */
  readonly startMs: number;
  readonly doneAtStart: number;
  readonly nowMs: number;
}

/** Half a second of reports before a speed is worth naming. */
const SETTLE_MS = 500;

/** Takes a report in; another unit or total, or a step back, starts the clock again. */
export function nextPace(before: Pace | null, progress: Progress, nowMs: number): Pace {
  const sameCount =
    before !== null &&
    before.progress.unit === progress.unit &&
    before.progress.total === progress.total &&
    progress.done >= before.progress.done;
  return sameCount
    ? { ...before, progress, nowMs }
    : { progress, startMs: nowMs, doneAtStart: progress.done, nowMs };
}

/** Units a second since the count began; null before it can be told. */
export function unitsPerSecond(pace: Pace): number | null {
  const elapsedMs = pace.nowMs - pace.startMs;
  const done = pace.progress.done - pace.doneAtStart;
  return elapsedMs < SETTLE_MS || done <= 0 ? null : (done / elapsedMs) * 1000;
}

/** Seconds until the count is complete at this pace; null before it can be told. */
export function secondsLeft(pace: Pace): number | null {
  const rate = unitsPerSecond(pace);
  return rate === null ? null : Math.max(0, pace.progress.total - pace.progress.done) / rate;
}
