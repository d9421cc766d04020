/** How fast a job goes and when it ends, from its progress reports. Pure. */
import { type Progress } from '@/protocol/events';

export type { Progress };

export interface ProgressRate {
  readonly progress: Progress;
  /** When this count was first heard of, and how far it was then. */
  readonly startMs: number;
  readonly doneAtStart: number;
  readonly nowMs: number;
  /** The speed as last reckoned; null before it can be told. */
  readonly sample: PaceSample | null;
}

interface PaceSample {
  readonly atMs: number;
  readonly done: number;
  /** Smoothed. */
  readonly unitsPerSecond: number;
}

/** Speed and time left are reckoned this often: oftener, nobody could read them. */
const SAMPLE_MS = 1000;

/** Half a second of reports before a speed is worth naming. */
const SETTLE_MS = 500;

/** How long a change of speed takes to show for the most part: files and pieces come in bursts. */
const SMOOTHING_MS = 8000;

/** Takes a report in; another unit or total, or a step back, starts the clock again. */
export function nextRate(
  before: ProgressRate | null,
  progress: Progress,
  nowMs: number,
): ProgressRate {
  const sameCount =
    before !== null &&
    before.progress.unit === progress.unit &&
    before.progress.total === progress.total &&
    progress.done >= before.progress.done;
  if (!sameCount) {
    return { progress, startMs: nowMs, doneAtStart: progress.done, nowMs, sample: null };
  }
  const pace = { ...before, progress, nowMs };
  return { ...pace, sample: nextSample(pace) };
}

/** Units a second, smoothed; null before it can be told. */
export function unitsPerSecond({ sample }: ProgressRate): number | null {
  return sample === null ? null : sample.unitsPerSecond;
}

/** Seconds until the count is complete at this pace; null before it can be told. */
export function secondsLeft({ sample, progress, nowMs }: ProgressRate): number | null {
  if (sample === null || sample.unitsPerSecond <= 0) return null;
  const left = Math.max(0, progress.total - sample.done) / sample.unitsPerSecond;
  return Math.max(0, left - (nowMs - sample.atMs) / 1000);
}

/** The mean since the start at first, then an exponentially weighted mean over time. */
function nextSample({
  sample,
  progress,
  startMs,
  doneAtStart,
  nowMs,
}: ProgressRate): PaceSample | null {
  const sinceMs = nowMs - (sample?.atMs ?? startMs);
  if (sinceMs < (sample === null ? SETTLE_MS : SAMPLE_MS)) return sample;
  const done = progress.done - (sample?.done ?? doneAtStart);
  if (sample === null && done <= 0) return null;
  const now = (1000 * done) / sinceMs;
  const before = sample?.unitsPerSecond ?? now;
  // No slower than the mean would follow: the first seconds are few, and as good as any.
  const weight = Math.max(1 - Math.exp(-sinceMs / SMOOTHING_MS), sinceMs / (nowMs - startMs));
  return {
    atMs: nowMs,
    done: progress.done,
    unitsPerSecond: before + weight * (now - before),
  };
}
