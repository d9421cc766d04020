import { describe, expect, it } from 'vitest';
import { openHubModel } from './hub-repo';
import { clientTo, expectSame, fileOpener, modelFile, read, useFixtureHub } from './hub.fixture';

const held = useFixtureHub();
const openFile = fileOpener(held);
const FILE = /model\.safetensors/;

describe('HubBytes', () => {
  it('reads just the bytes asked for, with a request a range', async () => {
    const client = clientTo(held.hub);
    const blob = await openFile(client);
    const file = modelFile(1);
    expect(blob.size).toBe(file.length);
    expect(await read(blob, 1000, 5000)).toEqual(file.subarray(1000, 5000));
    expect(await read(blob, 7, 7)).toHaveLength(0);
    const moved = held.hub.requests.filter(({ server }) => server === 'content');
    expect(moved.map(({ range }) => range)).toEqual(['bytes=1000-4999']);
    expect(moved[0]!.bodyBytes).toBe(4000);
    expect(client.traffic.fileBytes).toBe(4000);
  });

  it('is a Blob to whoever reads it by slices, text, streams or whole', async () => {
    const blob = await openFile(clientTo(held.hub));
    const file = modelFile(1);
    const slice = blob.slice(10, 60).slice(-20, -5);
    expect(slice.size).toBe(15);
    expect(new Uint8Array(await slice.arrayBuffer())).toEqual(file.subarray(40, 55));
    const parts: Uint8Array[] = [];
    for await (const chunk of blob.slice(100, 90_000).stream()) parts.push(chunk);
    expectSame(Buffer.concat(parts), file.subarray(100, 90_000));
    const model = await openHubModel('me/base', clientTo(held.hub));
    expect(await (await model.open('config.json'))!.text()).toBe('{"model_type":"clip"}');
    expect(await model.open('nothing.json')).toBeNull();
  });

  it('cuts a long read into parts, and runs no more of them at once than it may', async () => {
    const client = clientTo(held.hub, { partBytes: 25_000, maxRequests: 3 });
    const blob = await openFile(client);
    held.hub.fault({ kind: 'slow', bytesPerSecond: 200_000, path: FILE, times: 4 });
    expectSame(await read(blob, 0, blob.size), modelFile(1));
    const parts = held.hub.requests.filter(({ server }) => server === 'content');
    expect(parts).toHaveLength(Math.ceil(blob.size / 25_000));
    expect(held.hub.mostAtOnce).toBeGreaterThan(1);
    expect(held.hub.mostAtOnce).toBeLessThanOrEqual(3);
  });

  it('survives twenty lost connections in one read, and fetches no byte twice', async () => {
    const client = clientTo(held.hub, { retry: { maxFailures: 3 } });
    const blob = await openFile(client);
    held.hub.fault({ kind: 'drop', afterBytes: 7000, path: FILE, times: 20 });
    expectSame(await read(blob, 0, blob.size), modelFile(1));
    const parts = held.hub.requests.filter(({ server }) => server === 'content');
    expect(parts).toHaveLength(21);
    const bytes = parts.reduce((sum, { bodyBytes }) => sum + bodyBytes, 0);
    expect(bytes).toBe(blob.size);
    expect(client.traffic.fileBytes).toBe(blob.size);
  });

  it('gives up after so many failures in a row, with what to do', async () => {
    const blob = await openFile(clientTo(held.hub, { retry: { maxFailures: 3 } }));
    held.hub.fault({ kind: 'drop', afterBytes: 0, path: FILE, times: Infinity });
    await expect(read(blob, 0, 100)).rejects.toMatchObject({
      kind: 'source',
      message: expect.stringMatching(/me\/base\/model\.safetensors broke off/) as string,
      hint: expect.stringMatching(/connection/) as string,
    });
    expect(held.hub.requests.filter(({ server }) => server === 'content')).toHaveLength(3);
  });

  it('waits as long as Retry-After says, then goes on', async () => {
    // Of a Hub that lets pages read it.
    const requests: { readonly at: number; status: number | null }[] = [];
    const timed: typeof fetch = async (input, init) => {
      const request: (typeof requests)[number] = { at: performance.now(), status: null };
      requests.push(request);
      const response = await fetch(input, init);
      request.status = response.status;
      return response;
    };
    const blob = await openFile(clientTo(held.hub, { fetch: timed }));
    requests.length = 0;
    held.hub.fault({ kind: 'status', status: 429, retryAfter: 1, path: FILE, server: 'hub' });
    const waiting = read(blob, 0, 100);
    await expect.poll(() => requests[0]?.status).toBe(429);
    // The limit is the network's: no other read asks in the meantime.
    const other = read(blob, 200, 300);
    expect(await waiting).toEqual(modelFile(1).subarray(0, 100));
    expect(await other).toEqual(modelFile(1).subarray(200, 300));
    const [refused, ...later] = requests;
    expect(later.length).toBeGreaterThan(1);
    for (const { at } of later) expect(at - refused!.at).toBeGreaterThan(990);
  });

  it.each([500, 502, 503, 504])('goes on after an error %i, of either origin', async (status) => {
    const blob = await openFile(clientTo(held.hub));
    held.hub.fault(
      { kind: 'status', status, path: FILE, server: 'hub' },
      { kind: 'status', status, path: FILE, server: 'content' },
    );
    expect(await read(blob, 0, 100)).toEqual(modelFile(1).subarray(0, 100));
  });

  it('says that the network is limited for longer than anybody waits', async () => {
    const blob = await openFile(clientTo(held.hub, { fetch, retry: { maxFailures: 2 } }));
    held.hub.fault({ kind: 'status', status: 429, retryAfter: 4000, path: FILE });
    await expect(read(blob, 0, 100)).rejects.toMatchObject({
      hint: expect.stringMatching(/in 4000 seconds/) as string,
    });
  });

  it('asks the Hub anew where a host of files refuses, then goes the other way', async () => {
    const refused = { kind: 'status', status: 403, path: FILE, server: 'content' } as const;
    const blob = await openFile(clientTo(held.hub));
    held.hub.fault({ ...refused, times: 2 });
    expect(await read(blob, 0, 100)).toEqual(modelFile(1).subarray(0, 100));
    const resolved = held.hub.requests.filter(({ server }) => server === 'hub');
    expect(resolved.map(({ status }) => status)).toEqual([302, 302, 302]);
    const client = clientTo(held.hub, { retry: { maxFailures: 2 } });
    const stored = await openFile(client, 'me/xet');
    held.hub.fault({ ...refused, times: Infinity });
    expect(await read(stored, 0, 100)).toEqual(modelFile(5).subarray(0, 100));
    expect(client.transport).toBe('xet');
  });

  it('says which host refuses, and does not call that gated', async () => {
    const blob = await openFile(clientTo(held.hub, { retry: { maxFailures: 2 } }));
    const code = 'GatedRepo';
    held.hub.fault({
      kind: 'status',
      status: 403,
      code,
      path: FILE,
      server: 'content',
      times: Infinity,
    });
    const { host } = new URL(held.hub.contentUrl);
    await expect(read(blob, 0, 100)).rejects.toMatchObject({
      message: expect.stringMatching(`${host}, where .* did not hand it out \\(403\\)`) as string,
      hint: expect.stringMatching(/clock/) as string,
    });
  });

  it('shows what the Hub says where it refuses, and calls gated what is', async () => {
    const blob = await openFile(clientTo(held.hub));
    const refused = { kind: 'status', status: 403, path: FILE, server: 'hub' } as const;
    held.hub.fault({ ...refused, message: 'This region is blocked.' });
    await expect(read(blob, 0, 100)).rejects.toThrow(
      /refuses me\/base\/model\.safetensors \(403\) and says “This region is blocked\.”/,
    );
    held.hub.fault(refused);
    await expect(read(blob, 0, 100)).rejects.toThrow(/\(403\) and does not say why/);
    held.hub.fault({ ...refused, code: 'GatedRepo' });
    await expect(read(blob, 0, 100)).rejects.toThrow(/is gated/);
  });

  it('takes a transfer that stands still for lost, and goes on where it stopped', async () => {
    const blob = await openFile(clientTo(held.hub, { retry: { stallMs: 400 } }));
    held.hub.fault({ kind: 'stall', afterBytes: 50, path: FILE });
    expect(await read(blob, 0, 100)).toEqual(modelFile(1).subarray(0, 100));
    const ranges = held.hub.requests.filter(({ server }) => server === 'content');
    expect(ranges.map(({ range }) => range)).toEqual(['bytes=0-99', 'bytes=50-99']);
  });

  it('stops at once when it is aborted in a stall, and leaves no request behind', async () => {
    const blob = await openFile(clientTo(held.hub));
    held.hub.fault({ kind: 'stall', afterBytes: 50, path: FILE });
    const controller = new AbortController();
    const reading = read(blob, 0, 100, controller.signal);
    await expect.poll(() => held.hub.requests.at(-1)?.bodyBytes).toBe(50);
    controller.abort(new Error('The visitor left.'));
    await expect(reading).rejects.toThrow('The visitor left.');
    const sent = held.hub.requests.length;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(held.hub.requests).toHaveLength(sent);
  });

  it('stops with the job that opened it, and can be read by the next', async () => {
    const controller = new AbortController();
    const blob = await openFile(clientTo(held.hub), 'me/base', controller.signal);
    held.hub.fault({ kind: 'stall', afterBytes: 50, path: FILE });
    const reading = read(blob, 0, 100);
    await expect.poll(() => held.hub.requests.at(-1)?.bodyBytes).toBe(50);
    controller.abort(new Error('Cancelled.'));
    await expect(reading).rejects.toThrow('Cancelled.');
    expect(await read(blob, 0, 100)).toEqual(modelFile(1).subarray(0, 100));
  });

  it('stops waiting for its turn and for a retry when it is aborted', async () => {
    const client = clientTo(held.hub, {
      maxRequests: 1,
      retry: { baseDelayMs: 60_000, maxDelayMs: 60_000 },
    });
    const blob = await openFile(client);
    held.hub.fault({ kind: 'drop', afterBytes: 10, path: FILE, times: Infinity });
    const controller = new AbortController();
    const both = Promise.allSettled([0, 1].map(() => read(blob, 0, 100, controller.signal)));
    await expect.poll(() => held.hub.requests.length).toBe(4);
    controller.abort(new Error('Enough.'));
    const outcomes = await both;
    expect(outcomes.map((outcome) => 'reason' in outcome && String(outcome.reason))).toEqual([
      'Error: Enough.',
      'Error: Enough.',
    ]);
  });

  it('says how many bytes came, of those asked for', async () => {
    const model = await openHubModel('me/base', clientTo(held.hub));
    const seen: [number, number | null][] = [];
    const onProgress = (p: { loadedBytes: number; totalBytes: number | null }) =>
      void seen.push([p.loadedBytes, p.totalBytes]);
    const blob = (await model.open('model.safetensors', { onProgress }))!;
    await read(blob, 0, 1000);
    await read(blob, 1000, 100_000);
    expect(seen.at(-1)).toEqual([100_000, 100_000]);
    expect(seen.every(([loaded, total]) => total !== null && loaded <= total)).toBe(true);
  });
});

describe('answers that are not what was asked for', () => {
  const NEVER_USED = [
    { kind: 'wrong-range', by: 8 },
    { kind: 'ignore-range' },
    { kind: 'wrong-etag' },
    { kind: 'wrong-hash' },
    { kind: 'wrong-commit' },
  ] as const;

  it.each(NEVER_USED)('refuses $kind, and asks no second time', async (fault) => {
    const blob = await openFile(clientTo(held.hub));
    await read(blob, 0, 10);
    held.hub.clearLog();
    held.hub.fault({ ...fault, path: FILE });
    await expect(read(blob, 100, 200)).rejects.toThrow(/can not be trusted/);
    expect(held.hub.requests.length).toBeLessThanOrEqual(2);
    // Nothing of it stays: the next read is sound.
    expect(await read(blob, 100, 200)).toEqual(modelFile(1).subarray(100, 200));
  });

  it('asks again for what a short body left out', async () => {
    const blob = await openFile(clientTo(held.hub));
    held.hub.fault({ kind: 'short', bytes: 30, path: FILE });
    expect(await read(blob, 100, 200)).toEqual(modelFile(1).subarray(100, 200));
    held.hub.fault({ kind: 'short', bytes: 0, path: FILE, times: Infinity });
    await expect(read(blob, 100, 200)).rejects.toThrow(/broke off/);
  });
});
