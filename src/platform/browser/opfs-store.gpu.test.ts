import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sha256Hex } from '@/core/sha256';
import { openOpfsStore } from './opfs-store';
import { RangeCache } from '@/hub/cache/range-cache';
import { pieceName, type RangeStore } from '@/hub/cache/range-store';

const FOLDER = 'hub-files-test';
const BYTES = Uint8Array.from({ length: 3_000_000 }, (_, i) => (i * 7 + (i >> 8)) & 255);

let store: RangeStore;

async function root(): Promise<FileSystemDirectoryHandle> {
  const all = await navigator.storage.getDirectory();
  return all.getDirectoryHandle(FOLDER, { create: true });
}

beforeEach(async () => {
  store = (await openOpfsStore(FOLDER))!;
});

afterEach(async () => {
  const all = await navigator.storage.getDirectory();
  await all.removeEntry(FOLDER, { recursive: true });
});

describe('the store on disk', () => {
  it('keeps pieces for the next visit, and forgets them when told', async () => {
    await new RangeCache(store).put('sha256-a', 1000, BYTES);
    const visit = new RangeCache((await openOpfsStore(FOLDER))!);
    const into = new Uint8Array(BYTES.length + 10);
    expect(await visit.fill('sha256-a', 995, into)).toEqual([
      [0, 5],
      [BYTES.length + 5, BYTES.length + 10],
    ]);
    // `toEqual` takes ten seconds for so many.
    expect(await sha256Hex(into.subarray(5, -5))).toBe(await sha256Hex(BYTES));
    expect(await visit.usage()).toEqual({ bytes: BYTES.length, files: 1, full: false });
    await visit.clear();
    expect(await store.list()).toEqual([]);
    expect(await visit.fill('sha256-a', 1000, new Uint8Array(5))).toEqual([[0, 5]]);
  });

  it('takes nothing half written for whole', async () => {
    await new RangeCache(store).put('sha256-a', 0, BYTES);
    const [piece] = await store.list();
    const folder = await (await root()).getDirectoryHandle('sha256-a');
    const handle = await folder.getFileHandle(pieceName(piece!));
    // As a tab that was closed over it leaves it: made, and never filled.
    const stream = await handle.createWritable();
    await stream.write(BYTES.subarray(0, 1000));
    expect((await handle.getFile()).size).toBe(BYTES.length);
    await stream.truncate(1000);
    await stream.close();
    const visit = new RangeCache(store);
    expect(await store.list()).toEqual([]);
    expect(await visit.fill('sha256-a', 0, new Uint8Array(500))).toEqual([[0, 500]]);
    await visit.put('sha256-a', 0, BYTES);
    expect(await visit.fill('sha256-a', 0, new Uint8Array(500))).toEqual([]);
    await visit.clear();
    for await (const name of (await root()).keys()) expect(name).toBeUndefined();
  });

  it('takes nothing damaged for sound', async () => {
    await new RangeCache(store).put('sha256-a', 0, BYTES);
    const [piece] = await store.list();
    const folder = await (await root()).getDirectoryHandle('sha256-a');
    const handle = await folder.getFileHandle(pieceName(piece!));
    const stream = await handle.createWritable({ keepExistingData: true });
    await stream.write({ type: 'write', position: 77, data: Uint8Array.of(BYTES[77]! ^ 1) });
    await stream.close();
    const visit = new RangeCache(store);
    expect(await visit.fill('sha256-a', 0, new Uint8Array(500))).toEqual([[0, 500]]);
    expect(await store.list()).toEqual([]);
  });

  it('knows which repos its files are for, and when they were used last', async () => {
    const visit = new RangeCache(store);
    const before = Date.now();
    for (const [key, repo] of [
      ['sha256-a', 'me/one'],
      ['sha256-b', 'me/two'],
    ] as const) {
      await visit.put(key, 0, BYTES.slice(0, 1000));
      await visit.use(key, repo);
      await visit.use(key, repo);
    }
    const next = new RangeCache((await openOpfsStore(FOLDER))!);
    const kept = await next.byRepo();
    expect(kept.map(({ repo, bytes }) => [repo, bytes]).sort()).toEqual([
      ['me/one', 1000],
      ['me/two', 1000],
    ]);
    // Clocks of file systems may be coarse.
    for (const { usedAt } of kept) expect(usedAt).toBeGreaterThan(before - 3000);
    await next.removeRepo('me/one');
    expect((await store.list()).map(({ key }) => key)).toEqual(['sha256-b']);
    expect(await store.marks()).toMatchObject([{ key: 'sha256-b', label: 'me/two' }]);
    await store.mark('sha256-gone', 'me/one');
    expect(await store.marks()).toHaveLength(1);
  });

  it('gives up for one tab what another used longest ago, one tab at a time', async () => {
    const names = ['k1', 'k2', 'k3'];
    for (const key of names) await new RangeCache(store).put(key, 0, BYTES.slice(0, 1000));
    const tabs = [0, 1].map(() => new RangeCache(store, { maxBytes: 3000 }));
    await Promise.all(tabs.map((tab, i) => tab.put(`new${i}`, 0, BYTES.slice(0, 1000))));
    for (const tab of tabs) {
      for (const i of [0, 1]) {
        const into = new Uint8Array(1000);
        const gaps = await new RangeCache(store).fill(`new${i}`, 0, into);
        if (gaps.length === 0) expect(into).toEqual(BYTES.slice(0, 1000));
      }
      expect((await tab.usage()).full).toBe(false);
    }
    const left = (await store.list()).map(({ key }) => key);
    expect(left).toEqual(expect.arrayContaining(['new0', 'new1']));
    expect(left.length).toBeLessThan(5);
  });

  it('leaves two tabs in peace that write and clear at once', async () => {
    const [one, two] = [new RangeCache(store), new RangeCache((await openOpfsStore(FOLDER))!)];
    await Promise.all([one.put('k', 0, BYTES), two.put('k', 0, BYTES)]);
    expect(await store.list()).toHaveLength(1);
    await one.clear();
    expect(await two.fill('k', 0, new Uint8Array(10))).toEqual([[0, 10]]);
  });
});
