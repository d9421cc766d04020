/** Tries again what may work the next time: exponential back-off with jitter, Retry-After heeded. */
import { type PeruError } from '@/tensor/errors';

export interface RetryPolicy {
  /** Failures in a row, without a byte gained, after which the last one is thrown. */
  readonly maxFailures: number;
  /** Longest wait after the first failure, in ms; doubles with each in a row. */
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
  /** A server that asks for a longer wait than this is not waited for, in ms. */
  readonly maxRetryAfterMs: number;
  /** A transfer without a byte for this long has broken off, in ms. */
  readonly stallMs: number;
}

export const DEFAULT_RETRY: RetryPolicy = {
  maxFailures: 6,
  baseDelayMs: 500,
  maxDelayMs: 30_000,
  // The Hub counts requests in windows of five minutes.
  maxRetryAfterMs: 330_000,
  stallMs: 30_000,
};

/** A failure that may not happen again; `error` is what the visitor is told if it does. */
export class TransientError extends Error {
  readonly error: PeruError;
  /** What the server asked for, in ms; null where it did not. */
  readonly retryAfterMs: number | null;
  /** Whether no answer came at all. */
  readonly connection: boolean;
  /** Whether another way to the same bytes may be open. */
  readonly elsewhere: boolean;

  constructor(
    error: PeruError,
    options: {
      readonly retryAfterMs?: number | null;
      readonly connection?: boolean;
      readonly elsewhere?: boolean;
    } = {},
  ) {
    super(error.message);
    this.error = error;
    this.retryAfterMs = options.retryAfterMs ?? null;
    this.connection = options.connection ?? false;
    this.elsewhere = options.elsewhere ?? true;
  }
}

export interface RetryOptions {
  readonly policy: RetryPolicy;
  readonly signal: AbortSignal;
  /** Bytes gained so far; while they grow, failures do not add up. */
  readonly progress?: () => number;
}

/**
 * @throws TransientError the last one, once there were too many in a row; whatever else `attempt`
 *   throws; the signal's reason once aborted
 */
export async function retrying<T>(
  attempt: () => Promise<T>,
  { policy, signal, progress = () => 0 }: RetryOptions,
): Promise<T> {
  let failures = 0;
  let gained = progress();
  for (;;) {
    signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof TransientError)) throw error;
      if (progress() > gained) failures = 0;
      gained = progress();
      failures += 1;
      const wait = error.retryAfterMs ?? backOff(failures, policy);
      if (failures >= policy.maxFailures || wait > policy.maxRetryAfterMs) throw error;
      await sleep(wait, signal);
    }
  }
}

/** Half fixed, half random: clients that failed together do not come back together. */
function backOff(failures: number, { baseDelayMs, maxDelayMs }: RetryPolicy): number {
  const longest = Math.min(maxDelayMs, baseDelayMs * 2 ** (failures - 1));
  return longest * (0.5 + 0.5 * Math.random());
}

/** @throws the signal's reason as soon as it is aborted */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
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
