/** A browser's own ways to send, which Node has only one of. */
import { describe, expect, it } from 'vitest';
import { send } from './upload-send';

const STALL = { stallMs: 20_000 };
/** The server of the tests itself: whatever it answers, it answers the same to both ways. */
const ADDRESS = new URL('/nothing/is/here', location.href);
/** Nobody listens there. */
const DEAF = new URL('http://127.0.0.1:9/');
const never = new AbortController().signal;

describe('a request with a body', () => {
  it('is answered as by fetch, and tells how much of it has left', async () => {
    const told: number[] = [];
    const body = new Uint8Array(4_000_000);
    const init = { method: 'POST', body, signal: never };
    const hint = { progressHint: { progressCallback: (part: number) => void told.push(part) } };
    const byXhr = await send(ADDRESS, { ...init, ...hint }, STALL);
    const byFetch = await fetch(ADDRESS, { method: 'POST', body });
    expect(byXhr.status).toBe(byFetch.status);
    expect(byXhr.headers.get('content-type')).toBe(byFetch.headers.get('content-type'));
    expect(await byXhr.text()).toBe(await byFetch.text());
    expect(told.length).toBeGreaterThan(0);
    expect(told).toEqual(told.toSorted((a, b) => a - b));
    expect(told.at(-1)).toBe(1);
  });

  it('adds up what is told of the parts of a file', async () => {
    const told: number[] = [];
    const progressCallback = (part: number) => void told.push(part);
    for (const part of [0, 1]) {
      const progressHint = { progressCallback, part, numParts: 2 };
      const init = { method: 'POST', body: new Blob(['part']), signal: never, progressHint };
      await send(ADDRESS, init, STALL);
    }
    expect(told).toContain(0.5);
    expect(told.at(-1)).toBe(1);
  });

  it('fails where nobody listens, as by fetch', async () => {
    const init = { method: 'POST', body: 'text', signal: never };
    await expect(send(DEAF, init, STALL)).rejects.toThrow(TypeError);
  });

  it('stops with its signal, before and while it is sent', async () => {
    const reason = new Error('stopped');
    const init = { method: 'POST', body: 'text' };
    const before = send(ADDRESS, { ...init, signal: AbortSignal.abort(reason) }, STALL);
    await expect(before).rejects.toBe(reason);
    const stop = new AbortController();
    const during = send(ADDRESS, { ...init, signal: stop.signal }, STALL);
    stop.abort(reason);
    await expect(during).rejects.toBe(reason);
  });
});
