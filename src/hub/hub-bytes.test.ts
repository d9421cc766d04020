import { describe, expect, it } from 'vitest';
import { type ByteSource } from '@/tensor/byte-source';
import { readFlatRange } from '@/tensor/checkpoint-tensors';
import { flatLayout } from '@/tensor/layout';
import { readRange } from '@/tensor/safetensors';
import { openWeights } from '@/formats/checkpoint/checkpoint-source';
import { memoryStore } from '@/hub/cache/memory-store.fixture';
import { RangeCache } from '@/hub/cache/range-cache';
import { type HubDoor } from './hub-door';
import { type HubCheckpoint, openHubModel } from './hub-repo';
import { doorTo, modelFile, TOKEN, useFixtureHub } from './hub.fixture';

const held = useFixtureHub();
const FILE = /model\.safetensors/;

async function openFile(
  door: HubDoor,
  repo = 'me/base',
  signal?: AbortSignal,
): Promise<ByteSource> {
  const model = await openHubModel(repo, door);
  const blob = await model.open('model.safetensors', signal === undefined ? {} : { signal });
  held.hub.clearLog();
  return blob!;
}

const read = (blob: ByteSource, start: number, end: number, signal?: AbortSignal) =>
  readRange(blob, start, end, 'file', signal);

/** As toEqual, which looks at one element after another, too slowly for whole files. */
function expectSame(bytes: Uint8Array, expected: Uint8Array): void {
  expect(bytes.length).toBe(expected.length);
  expect(Buffer.compare(bytes, expected)).toBe(0);
}

describe('HubBytes', () => {
  it('reads just the bytes asked for, with a request a range', async () => {
    const door = doorTo(held.hub);
    const blob = await openFile(door);
    const file = modelFile(1);
    expect(blob.size).toBe(file.length);
    expect(await read(blob, 1000, 5000)).toEqual(file.subarray(1000, 5000));
    expect(await read(blob, 7, 7)).toHaveLength(0);
    const moved = held.hub.requests.filter(({ server }) => server === 'content');
    expect(moved.map(({ range }) => range)).toEqual(['bytes=1000-4999']);
    expect(moved[0]!.bodyBytes).toBe(4000);
    expect(door.traffic.fileBytes).toBe(4000);
  });

  it('is a Blob to whoever reads it by slices, text, streams or whole', async () => {
    const blob = await openFile(doorTo(held.hub));
    const file = modelFile(1);
    const slice = blob.slice(10, 60).slice(-20, -5);
    expect(slice.size).toBe(15);
    expect(new Uint8Array(await slice.arrayBuffer())).toEqual(file.subarray(40, 55));
    const parts: Uint8Array[] = [];
    for await (const chunk of blob.slice(100, 90_000).stream()) parts.push(chunk);
    expectSame(Buffer.concat(parts), file.subarray(100, 90_000));
    const model = await openHubModel('me/base', doorTo(held.hub));
    expect(await (await model.open('config.json'))!.text()).toBe('{"model_type":"clip"}');
    expect(await model.open('nothing.json')).toBeNull();
  });

  it('cuts a long read into parts, and runs no more of them at once than it may', async () => {
    const door = doorTo(held.hub, { partBytes: 25_000, maxRequests: 3 });
    const blob = await openFile(door);
    held.hub.fault({ kind: 'slow', bytesPerSecond: 200_000, path: FILE, times: 4 });
    expectSame(await read(blob, 0, blob.size), modelFile(1));
    const parts = held.hub.requests.filter(({ server }) => server === 'content');
    expect(parts).toHaveLength(Math.ceil(blob.size / 25_000));
    expect(held.hub.mostAtOnce).toBeGreaterThan(1);
    expect(held.hub.mostAtOnce).toBeLessThanOrEqual(3);
  });

  it('survives twenty lost connections in one read, and fetches no byte twice', async () => {
    const door = doorTo(held.hub, { retry: { maxFailures: 3 } });
    const blob = await openFile(door);
    held.hub.fault({ kind: 'drop', afterBytes: 7000, path: FILE, times: 20 });
    expectSame(await read(blob, 0, blob.size), modelFile(1));
    const parts = held.hub.requests.filter(({ server }) => server === 'content');
    expect(parts).toHaveLength(21);
    const bytes = parts.reduce((sum, { bodyBytes }) => sum + bodyBytes, 0);
    expect(bytes).toBe(blob.size);
    expect(door.traffic.fileBytes).toBe(blob.size);
  });

  it('gives up after so many failures in a row, with what to do', async () => {
    const blob = await openFile(doorTo(held.hub, { retry: { maxFailures: 3 } }));
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
    const blob = await openFile(doorTo(held.hub, { fetch: timed }));
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
    const blob = await openFile(doorTo(held.hub));
    held.hub.fault(
      { kind: 'status', status, path: FILE, server: 'hub' },
      { kind: 'status', status, path: FILE, server: 'content' },
    );
    expect(await read(blob, 0, 100)).toEqual(modelFile(1).subarray(0, 100));
  });

  it('says that the network is limited for longer than anybody waits', async () => {
    const blob = await openFile(doorTo(held.hub, { fetch, retry: { maxFailures: 2 } }));
    held.hub.fault({ kind: 'status', status: 429, retryAfter: 4000, path: FILE });
    await expect(read(blob, 0, 100)).rejects.toMatchObject({
      hint: expect.stringMatching(/in 4000 seconds/) as string,
    });
  });

  it('asks the Hub anew where a host of files refuses, then goes the other way', async () => {
    const refused = { kind: 'status', status: 403, path: FILE, server: 'content' } as const;
    const blob = await openFile(doorTo(held.hub));
    held.hub.fault({ ...refused, times: 2 });
    expect(await read(blob, 0, 100)).toEqual(modelFile(1).subarray(0, 100));
    const resolved = held.hub.requests.filter(({ server }) => server === 'hub');
    expect(resolved.map(({ status }) => status)).toEqual([302, 302, 302]);
    const door = doorTo(held.hub, { retry: { maxFailures: 2 } });
    const stored = await openFile(door, 'me/xet');
    held.hub.fault({ ...refused, times: Infinity });
    expect(await read(stored, 0, 100)).toEqual(modelFile(5).subarray(0, 100));
    expect(door.transport).toBe('xet');
  });

  it('says which host refuses, and does not call that gated', async () => {
    const blob = await openFile(doorTo(held.hub, { retry: { maxFailures: 2 } }));
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
    const blob = await openFile(doorTo(held.hub));
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
    const blob = await openFile(doorTo(held.hub, { retry: { stallMs: 400 } }));
    held.hub.fault({ kind: 'stall', afterBytes: 50, path: FILE });
    expect(await read(blob, 0, 100)).toEqual(modelFile(1).subarray(0, 100));
    const ranges = held.hub.requests.filter(({ server }) => server === 'content');
    expect(ranges.map(({ range }) => range)).toEqual(['bytes=0-99', 'bytes=50-99']);
  });

  it('stops at once when it is aborted in a stall, and leaves no request behind', async () => {
    const blob = await openFile(doorTo(held.hub));
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
    const blob = await openFile(doorTo(held.hub), 'me/base', controller.signal);
    held.hub.fault({ kind: 'stall', afterBytes: 50, path: FILE });
    const reading = read(blob, 0, 100);
    await expect.poll(() => held.hub.requests.at(-1)?.bodyBytes).toBe(50);
    controller.abort(new Error('Cancelled.'));
    await expect(reading).rejects.toThrow('Cancelled.');
    expect(await read(blob, 0, 100)).toEqual(modelFile(1).subarray(0, 100));
  });

  it('stops waiting for its turn and for a retry when it is aborted', async () => {
    const door = doorTo(held.hub, {
      maxRequests: 1,
      retry: { baseDelayMs: 60_000, maxDelayMs: 60_000 },
    });
    const blob = await openFile(door);
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
    const model = await openHubModel('me/base', doorTo(held.hub));
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
    const blob = await openFile(doorTo(held.hub));
    await read(blob, 0, 10);
    held.hub.clearLog();
    held.hub.fault({ ...fault, path: FILE });
    await expect(read(blob, 100, 200)).rejects.toThrow(/can not be trusted/);
    expect(held.hub.requests.length).toBeLessThanOrEqual(2);
    // Nothing of it stays: the next read is sound.
    expect(await read(blob, 100, 200)).toEqual(modelFile(1).subarray(100, 200));
  });

  it('asks again for what a short body left out', async () => {
    const blob = await openFile(doorTo(held.hub));
    held.hub.fault({ kind: 'short', bytes: 30, path: FILE });
    expect(await read(blob, 100, 200)).toEqual(modelFile(1).subarray(100, 200));
    held.hub.fault({ kind: 'short', bytes: 0, path: FILE, times: Infinity });
    await expect(read(blob, 100, 200)).rejects.toThrow(/broke off/);
  });
});

describe('the two ways to the bytes', () => {
  const stored = (path: string): boolean => /reconstructions|xorbs/.test(path);

  it('takes the content-addressed store when HTTP fails, and stays with it', async () => {
    const door = doorTo(held.hub, { retry: { maxFailures: 2 } });
    const blob = await openFile(door, 'me/xet');
    const file = modelFile(5);
    held.hub.fault({ kind: 'drop', afterBytes: 100, path: FILE, server: 'content', times: 1 });
    held.hub.fault({ kind: 'status', status: 503, path: FILE, server: 'content', times: Infinity });
    expectSame(await read(blob, 1000, 150_000), file.subarray(1000, 150_000));
    expect(held.hub.requests.some(({ path }) => stored(path))).toBe(true);
    held.hub.clearLog();
    expect(await read(blob, 70_000, 70_010)).toEqual(file.subarray(70_000, 70_010));
    expect(held.hub.requests.every(({ path }) => stored(path))).toBe(true);
  });

  it('takes HTTP when the store fails', async () => {
    const door = doorTo(held.hub, { transport: 'xet', retry: { maxFailures: 2 } });
    const blob = await openFile(door, 'me/xet');
    held.hub.fault({ kind: 'drop', afterBytes: 0, path: /xorbs/, times: Infinity });
    expectSame(await read(blob, 0, blob.size), modelFile(5));
    expect(door.transport).toBe('http');
    expect(held.hub.requests.some(({ path }) => path.includes('xorbs'))).toBe(true);
  });

  it('goes on in the store where a lost connection stopped', async () => {
    const door = doorTo(held.hub, { transport: 'xet' });
    const blob = await openFile(door, 'me/xet');
    held.hub.fault({ kind: 'drop', afterBytes: 70_000, path: /xorbs/, times: 2 });
    expectSame(await read(blob, 0, blob.size), modelFile(5));
    expect(door.transport).toBe('xet');
  });

  it('believes no hash of the store but the listing’s', async () => {
    const blob = await openFile(doorTo(held.hub, { transport: 'xet' }), 'me/xet');
    held.hub.fault({ kind: 'wrong-hash', path: FILE });
    await expect(read(blob, 0, 10)).rejects.toThrow(/can not be trusted/);
  });

  it('shows the access token to neither of the other origins', async () => {
    for (const transport of ['http', 'xet'] as const) {
      const blob = await openFile(doorTo(held.hub, { accessToken: TOKEN, transport }), 'me/xet');
      await read(blob, 0, 1000);
      const [own, other] = ['hub', 'content'].map((server) =>
        held.hub.requests.filter((request) => request.server === server),
      );
      expect(other!.length).toBeGreaterThan(0);
      expect(other!.filter(({ authorization }) => authorization?.includes(TOKEN))).toEqual([]);
      expect(own!.every(({ authorization }) => authorization === `Bearer ${TOKEN}`)).toBe(true);
      expect(held.hub.requests.filter(({ path }) => path.includes(TOKEN))).toEqual([]);
    }
  });
});

describe('a checkpoint of the Hub', () => {
  it('moves its header and the tensors asked for, in few requests', async () => {
    const door = doorTo(held.hub);
    const model = (await openHubModel('me/base', door)) as HubCheckpoint;
    const weights = await openWeights(model);
    const layout = flatLayout([...weights.tensors.values()]);
    held.hub.clearLog();
    const before = door.traffic.fileBytes;
    const bytes = await readFlatRange(weights, layout, 0, layout.elementCount);
    const file = modelFile(1);
    expectSame(bytes, file.subarray(file.length - bytes.length));
    expect(door.traffic.fileBytes - before).toBe(bytes.length);
    expect(held.hub.requests.filter(({ server }) => server === 'content')).toHaveLength(1);
    expect(door.traffic.fileBytes).toBeLessThan(1.02 * bytes.length);
  });
});

describe('a Hub with a cache', () => {
  it('moves no byte of a file twice, whoever asks, and whatever broke in between', async () => {
    const store = memoryStore();
    const open = () => doorTo(held.hub, { cache: new RangeCache(store), partBytes: 40_000 });
    const file = modelFile(1);
    const first = open();
    const blob = await openFile(first);
    const controller = new AbortController();
    // The first 40 kB arrive; the visitor leaves over the rest.
    await read(blob, 0, 40_000);
    held.hub.fault({ kind: 'stall', afterBytes: 10, path: FILE, times: Infinity });
    const left = read(blob, 0, file.length, controller.signal);
    await expect.poll(() => held.hub.requests.at(-1)?.bodyBytes).toBe(10);
    controller.abort(new Error('Left.'));
    await expect(left).rejects.toThrow('Left.');
    held.hub.clearFaults();
    const second = open();
    expectSame(await read(await openFile(second), 0, file.length), file);
    expect(second.traffic).toMatchObject({ fileBytes: file.length - 40_000, cachedBytes: 40_000 });
    const third = open();
    expectSame(await read(await openFile(third), 123, file.length), file.subarray(123));
    expect(third.traffic).toMatchObject({ fileBytes: 0, cachedBytes: file.length - 123 });
    expect(held.hub.requests).toEqual([]);
  });

  it('reads on where the cache fails', async () => {
    const broken = { ...memoryStore(), list: () => Promise.reject(new Error('No disk.')) };
    const blob = await openFile(doorTo(held.hub, { cache: new RangeCache(broken) }));
    expect(await read(blob, 0, 100)).toEqual(modelFile(1).subarray(0, 100));
  });
});
