/** Tries again what may work the next time: exponential back-off with jitter, rate limits heeded. */
import { type PeruError } from './errors';
import { type Clock, SYSTEM_CLOCK } from './clock';

export interface RetryPolicy {
  /** Failures in a row, without a byte gained, after which the last one is thrown. */
  readonly maxFailures: number;
  /** Longest wait after the first failure, in ms; doubles with each in a row. */
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
  /** A server that limits requests for longer than this, in all, is not waited for, in ms. */
  readonly maxRetryAfterMs: number;
  /**
   * Least and most wait where a server limits requests and does not say for how long, or the
   * browser does not let the page read it, in ms.
   */
  readonly unsaidWaitMs: readonly [least: number, most: number];
  /** A transfer without a byte for this long has broken off, in ms. */
  readonly stallMs: number;
}

export const DEFAULT_RETRY: RetryPolicy = {
  maxFailures: 6,
  baseDelayMs: 500,
  maxDelayMs: 30_000,
  // The Hub counts requests in windows of five minutes.
  maxRetryAfterMs: 330_000,
  // The Hub says in RateLimit when the window ends, and exposes that header to no page.
  unsaidWaitMs: [30_000, 60_000],
  stallMs: 30_000,
};

/** A failure that may not happen again; `error` is what the visitor is told if it does. */
export class TransientError extends Error {
  readonly error: PeruError;
  /** What the server asked for, in ms; null where it did not. */
  readonly retryAfterMs: number | null;
  /** How long a limit on requests is waited for, said or not, in ms; null: it is none. */
  readonly limitMs: number | null;
  /** Whether no answer came at all. */
  readonly connection: boolean;
  /** Whether another way to the same bytes may be open. */
  readonly elsewhere: boolean;

  constructor(
    error: PeruError,
    options: {
      readonly retryAfterMs?: number | null;
      readonly limitMs?: number | null;
      readonly connection?: boolean;
      readonly elsewhere?: boolean;
    } = {},
  ) {
    super(error.message);
    this.error = error;
    this.retryAfterMs = options.retryAfterMs ?? null;
    this.limitMs = options.limitMs ?? null;
    this.connection = options.connection ?? false;
    this.elsewhere = options.elsewhere ?? true;
  }
}

export interface RetryOptions {
  readonly policy: RetryPolicy;
  readonly signal: AbortSignal;
  /** Bytes gained so far; while they grow, failures do not add up. */
  readonly progress?: () => number;
  readonly clock?: Clock;
}

/**
 * @throws TransientError the last one, once there were too many in a row, or a limit on requests
 *   lasted too long; whatever else `attempt` throws; the signal's reason once aborted
 */
export async function retrying<T>(
  attempt: () => Promise<T>,
  { policy, signal, progress = () => 0, clock = SYSTEM_CLOCK }: RetryOptions,
): Promise<T> {
  let failures = 0;
  let limitedMs = 0;
  let gained = progress();
  for (;;) {
    signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof TransientError)) throw error;
      if (progress() > gained) failures = limitedMs = 0;
      gained = progress();
      // A limit of unknown length is no failure: it ends by itself, and only how long it takes counts.
      if (error.limitMs === null || error.retryAfterMs !== null) failures += 1;
      limitedMs += error.limitMs ?? 0;
      const wait = error.limitMs ?? error.retryAfterMs ?? backOff(failures, policy);
      const isTooLong = Math.max(wait, limitedMs) > policy.maxRetryAfterMs;
      if (failures >= policy.maxFailures || isTooLong) throw error;
      await clock.sleep(wait, signal);
    }
  }
}

/** Half fixed, half random: clients that failed together do not come back together. */
function backOff(failures: number, { baseDelayMs, maxDelayMs }: RetryPolicy): number {
  const longest = Math.min(maxDelayMs, baseDelayMs * 2 ** (failures - 1));
  return longest * (0.5 + 0.5 * Math.random());
}

/** Half fixed, half random again, where a server does not say when it will answer. */
export function unsaidWait({ unsaidWaitMs: [least, most] }: RetryPolicy): number {
  return least + (most - least) * Math.random();
}

/**
 * How long a server asks to be left alone, in ms: `Retry-After` (seconds or a date), else the
 * seconds to the next window in the Hub's `RateLimit` (`"api";r=0;t=55`); null where neither is
 * there or may be read.
 */
export function retryAfterMs(headers: Headers, now = Date.now()): number | null {
  const after = headers.get('retry-after');
  if (after !== null) {
    if (/^\d+(?:\.\d+)?$/.test(after.trim())) return Number(after) * 1000;
    const date = Date.parse(after);
    if (!Number.isNaN(date)) return Math.max(0, date - now);
  }
  const window = /;\s*t=(\d+)/.exec(headers.get('ratelimit') ?? '');
  return window === null ? null : Number(window[1]) * 1000;
}
