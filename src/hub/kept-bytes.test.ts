import { expect, it } from 'vitest';
import { type ByteSource } from '@/tensor/byte-source';
import { RemoteBytes } from '@/tensor/remote-bytes';
import { memoryStore } from '@/hub/cache/memory-store.fixture';
import { RangeCache } from '@/hub/cache/range-cache';
import { openHubModel } from './hub-repo';
import { clientTo, useFixtureHub } from './hub.fixture';

const at = useFixtureHub();

function remote(blob: ByteSource | null): RemoteBytes {
  if (blob instanceof RemoteBytes) return blob;
  throw new Error('The file is not remote.');
}

it('tells what need not be fetched, of files and of their slices, and for whom it is kept', async () => {
  const store = memoryStore();
  const open = async () => {
    const client = clientTo(at.hub, { cache: new RangeCache(store) });
    const model = await openHubModel('me/base', client);
    return { client, blob: remote(await model.open('model.safetensors')) };
  };
  const first = await open();
  expect((await first.blob.tally(0, first.blob.size)).keptBytes).toBe(0);
  await first.blob.read(1000, 3000);
  await first.blob.read(5000, 6000);
  const next = await open();
  at.hub.clearLog();
  expect((await next.blob.tally(0, next.blob.size)).keptBytes).toBe(3000);
  expect((await next.blob.tally(2500, 5500)).keptBytes).toBe(1000);
  const slice = remote(next.blob.slice(900, 2000));
  expect((await slice.tally(0, slice.size)).keptBytes).toBe(1000);
  expect((await slice.tally(0, 150)).keptBytes).toBe(50);
  expect(at.hub.requests).toEqual([]);
  await next.blob.read(500, 3500);
  expect(next.client.traffic).toMatchObject({ cachedBytes: 2000, fileBytes: 1000 });
  expect(await new RangeCache(store).byRepo()).toMatchObject([{ repo: 'me/base', bytes: 4000 }]);
  const plain = clientTo(at.hub);
  const uncached = await (await openHubModel('me/base', plain)).open('model.safetensors');
  expect((await remote(uncached).tally(0, 10)).keptBytes).toBe(0);
});
