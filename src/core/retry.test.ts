import { describe, expect, it } from 'vitest';
import { PeruError } from './errors';
import { DEFAULT_RETRY, retryAfterMs, retrying, TransientError } from './retry';

const failure = () => new TransientError(new PeruError('source', 'Lost.', 'Again.'));

describe('retrying', () => {
  const { signal } = new AbortController();
  const policy = { ...DEFAULT_RETRY, baseDelayMs: 20, maxDelayMs: 80, maxFailures: 6 };

  it('waits longer each time, up to a limit, never twice the same', async () => {
    const times: number[] = [];
    const attempts = retrying(
      () => {
        times.push(performance.now());
        return Promise.reject(failure());
      },
      { policy, signal },
    );
    await expect(attempts).rejects.toThrow('Lost.');
    const waits = times.slice(1).map((time, i) => time - times[i]!);
    expect(waits).toHaveLength(5);
    // Half of each wait is chance; timers may be early by a millisecond, and late by many.
    [10, 20, 40, 40, 40].forEach((least, i) => {
      expect(waits[i]).toBeGreaterThan(least - 2);
    });
  });

  it('gives up at once on what will not change', async () => {
    let calls = 0;
    const attempts = retrying(
      () => {
        calls += 1;
        return Promise.reject(new Error('Gone.'));
      },
      { policy, signal },
    );
    await expect(attempts).rejects.toThrow('Gone.');
    expect(calls).toBe(1);
  });
});

describe('retryAfterMs', () => {
  const now = Date.parse('Wed, 21 Oct 2026 07:28:00 GMT');

  it.each([
    [{ 'retry-after': '120' }, 120_000],
    [{ 'retry-after': '0.5' }, 500],
    [{ 'retry-after': 'Wed, 21 Oct 2026 07:28:30 GMT' }, 30_000],
    [{ 'retry-after': 'Wed, 21 Oct 2026 07:00:00 GMT' }, 0],
    // As the Hub words it: what is left of the window, and how long the window lasts.
    [{ ratelimit: '"resolvers";r=0;t=55' }, 55_000],
    [{ 'retry-after': '3', ratelimit: '"api";r=0;t=55' }, 3000],
    [{ 'retry-after': 'soon' }, null],
    [{}, null],
  ])('%o', (headers, expected) => {
    expect(retryAfterMs(new Headers(headers as Record<string, string>), now)).toBe(expected);
  });
});
