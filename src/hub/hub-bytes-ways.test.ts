/** By which way bytes of a file come: HTTP, the content-addressed store, what is kept of it. */
import { describe, expect, it } from 'vitest';
import { readFlatRange } from '@/tensor/checkpoint-tensors';
import { flatLayout } from '@/tensor/layout';
import { openWeights } from '@/formats/checkpoint/checkpoint-source';
import { memoryStore } from '@/hub/cache/memory-store.fixture';
import { RangeCache } from '@/hub/cache/range-cache';
import { type HubCheckpoint, openHubModel } from './hub-repo';
import {
  clientTo,
  expectSame,
  fileOpener,
  modelFile,
  read,
  TOKEN,
  useFixtureHub,
} from './hub.fixture';

const held = useFixtureHub();
const openFile = fileOpener(held);
const FILE = /model\.safetensors/;

describe('the two ways to the bytes', () => {
  const stored = (path: string): boolean => /reconstructions|xorbs/.test(path);

  it('takes the content-addressed store when HTTP fails, and stays with it', async () => {
    const client = clientTo(held.hub, { retry: { maxFailures: 2 } });
    const blob = await openFile(client, 'me/xet');
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
    const client = clientTo(held.hub, { transport: 'xet', retry: { maxFailures: 2 } });
    const blob = await openFile(client, 'me/xet');
    held.hub.fault({ kind: 'drop', afterBytes: 0, path: /xorbs/, times: Infinity });
    expectSame(await read(blob, 0, blob.size), modelFile(5));
    expect(client.transport).toBe('http');
    expect(held.hub.requests.some(({ path }) => path.includes('xorbs'))).toBe(true);
  });

  it('goes on in the store where a lost connection stopped', async () => {
    const client = clientTo(held.hub, { transport: 'xet' });
    const blob = await openFile(client, 'me/xet');
    held.hub.fault({ kind: 'drop', afterBytes: 70_000, path: /xorbs/, times: 2 });
    expectSame(await read(blob, 0, blob.size), modelFile(5));
    expect(client.transport).toBe('xet');
  });

  it('believes no hash of the store but the listing’s', async () => {
    const blob = await openFile(clientTo(held.hub, { transport: 'xet' }), 'me/xet');
    held.hub.fault({ kind: 'wrong-hash', path: FILE });
    await expect(read(blob, 0, 10)).rejects.toThrow(/can not be trusted/);
  });

  it('shows the access token to neither of the other origins', async () => {
    for (const transport of ['http', 'xet'] as const) {
      const blob = await openFile(clientTo(held.hub, { accessToken: TOKEN, transport }), 'me/xet');
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
    const client = clientTo(held.hub);
    const model = (await openHubModel('me/base', client)) as HubCheckpoint;
    const weights = await openWeights(model);
    const layout = flatLayout([...weights.tensors.values()]);
    held.hub.clearLog();
    const before = client.traffic.fileBytes;
    const bytes = await readFlatRange(weights, layout, 0, layout.elementCount);
    const file = modelFile(1);
    expectSame(bytes, file.subarray(file.length - bytes.length));
    expect(client.traffic.fileBytes - before).toBe(bytes.length);
    expect(held.hub.requests.filter(({ server }) => server === 'content')).toHaveLength(1);
    expect(client.traffic.fileBytes).toBeLessThan(1.02 * bytes.length);
  });
});

describe('a Hub with a cache', () => {
  it('moves no byte of a file twice, whoever asks, and whatever broke in between', async () => {
    const store = memoryStore();
    const open = () => clientTo(held.hub, { cache: new RangeCache(store), partBytes: 40_000 });
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
    const blob = await openFile(clientTo(held.hub, { cache: new RangeCache(broken) }));
    expect(await read(blob, 0, 100)).toEqual(modelFile(1).subarray(0, 100));
  });
});
