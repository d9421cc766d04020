/** Content hosts that let no page read which bytes an answer holds. */
import { beforeEach, describe, expect, it } from 'vitest';
import { type ByteSource } from '@/tensor/byte-source';
import { pageFetch } from '../../e2e/fixture-hub/page-fetch';
import { readRange } from '@/tensor/safetensors';
import { memoryStore } from '@/hub/cache/memory-store.fixture';
import { RangeCache } from '@/hub/cache/range-cache';
import { type HubClient } from './hub-client';
import { openHubModel } from './hub-repo';
import { clientTo, modelFile, useFixtureHub } from './hub.fixture';

const held = useFixtureHub();
const FILE = /model\.safetensors/;
const WHOLE = modelFile(1);

beforeEach(() => {
  held.hub.fault({ kind: 'bare', path: /./, server: 'content', times: Infinity });
});

async function openFile(client: HubClient, path = 'model.safetensors'): Promise<ByteSource> {
  return (await (await openHubModel('me/base', client)).open(path))!;
}

const read = (blob: ByteSource, start: number, end: number) => readRange(blob, start, end, 'file');

describe('ranges nobody names', () => {
  it('are taken where they are as long as what was asked for, and go on where they end early', async () => {
    const blob = await openFile(clientTo(held.hub));
    held.hub.fault({ kind: 'short', bytes: 40, path: FILE, server: 'content' });
    expect(await read(blob, 1000, 1100)).toEqual(WHOLE.subarray(1000, 1100));
    const ranges = held.hub.requests.filter(({ server }) => server === 'content');
    expect(ranges.map(({ range }) => range)).toEqual(['bytes=1000-1099', 'bytes=1040-1099']);
  });

  it('are refused where the whole file comes instead', async () => {
    const blob = await openFile(clientTo(held.hub));
    held.hub.fault({ kind: 'ignore-range', path: FILE, server: 'content' });
    await expect(read(blob, 1000, 1100)).rejects.toThrow(/the whole file came/);
  });

  it('of another place in the file are found out by its hash, and kept no longer', async () => {
    const cache = new RangeCache(memoryStore());
    const blob = await openFile(clientTo(held.hub, { cache }));
    const half = WHOLE.length / 2;
    held.hub.fault({ kind: 'wrong-range', by: 7, path: FILE, server: 'content' });
    await read(blob, 100, half);
    const rest = Promise.all([read(blob, 0, 100), read(blob, half, WHOLE.length)]);
    await expect(rest).rejects.toThrow(/can not be trusted: its content’s hash is [0-9a-f]{64}/);
    expect(await cache.usage()).toMatchObject({ bytes: 0 });
    // From here on the host serves what is asked for.
    const [first, second] = await Promise.all([
      read(blob, 0, half),
      read(blob, half, WHOLE.length),
    ]);
    expect(Buffer.compare(Buffer.concat([first, second]), WHOLE)).toBe(0);
    expect(await cache.usage()).toMatchObject({ bytes: WHOLE.length });
  });

  it('are not taken from the Hub itself, whose headers are known', async () => {
    const fetch: typeof pageFetch = async (input, init) => {
      const response = await pageFetch(input, init);
      response.headers.delete('content-range');
      return response;
    };
    const blob = await openFile(clientTo(held.hub, { fetch }), 'config.json');
    await expect(read(blob, 0, 5)).rejects.toThrow(/no Content-Range/);
  });
});
