import { describe, expect, it, vi } from 'vitest';
import { counted } from '@/hub/hub.fixture';
import { memoryStore } from './memory-store.fixture';
import { RangeCache } from './range-cache';
import {
  markName,
  parseMarkName,
  parsePieceName,
  type Piece,
  pieceName,
  type RangeStore,
} from './range-store';

const KEY = 'sha256-abc';
const FILE = counted(1000);

/** What the cache has of [start, end): bytes where it says so, gaps elsewhere. */
async function look(cache: RangeCache, start: number, end: number) {
  const into = new Uint8Array(end - start);
  const gaps = await cache.fill(KEY, start, into);
  const missing = new Uint8Array(end - start);
  for (const [from, to] of gaps) missing.fill(1, from, to);
  for (let i = 0; i < into.length; i++) {
    if (missing[i] === 0) expect(into[i]).toBe(FILE[start + i]);
  }
  return gaps;
}

const keep = (cache: RangeCache, start: number, end: number) =>
  cache.put(KEY, start, FILE.slice(start, end));

/** A store whose pieces can be tampered with. */
function tamperable(): RangeStore & { damage(change: (bytes: Uint8Array) => Uint8Array): void } {
  const inner = memoryStore();
  let change: ((bytes: Uint8Array) => Uint8Array) | null = null;
  return {
    ...inner,
    open: async (piece) => {
      const blob = await inner.open(piece);
      if (blob === null || change === null) return blob;
      return new Blob([new Uint8Array(change(new Uint8Array(await blob.arrayBuffer())))]);
    },
    damage: (next) => {
      change = next;
    },
  };
}

describe('RangeCache', () => {
  it('has nothing at first, and then what was put, whatever the ranges', async () => {
    const store = memoryStore();
    const cache = new RangeCache(store);
    expect(await look(cache, 0, 100)).toEqual([[0, 100]]);
    await keep(cache, 100, 200);
    await keep(cache, 150, 300);
    await keep(cache, 400, 500);
    // The same from a later visit, which reads the store anew.
    for (const visit of [cache, new RangeCache(store)]) {
      expect(await look(visit, 120, 130)).toEqual([]);
      expect(await look(visit, 100, 300)).toEqual([]);
      expect(await look(visit, 0, 600)).toEqual([
        [0, 100],
        [300, 400],
        [500, 600],
      ]);
      expect(await look(visit, 300, 400)).toEqual([[0, 100]]);
      expect(await look(visit, 7, 7)).toEqual([]);
    }
    expect(await new RangeCache(store).fill('other', 100, new Uint8Array(50))).toEqual([[0, 50]]);
  });

  it('agrees with a plain bitmap on random ranges', async () => {
    const cache = new RangeCache(memoryStore());
    const has = new Uint8Array(FILE.length);
    let seed = 7;
    const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below;
    for (let i = 0; i < 60; i++) {
      const start = random(900);
      const end = start + 1 + random(99);
      const gaps = await look(cache, start, end);
      const missing = new Uint8Array(end - start);
      for (const [from, to] of gaps) missing.fill(1, from, to);
      expect([...missing]).toEqual([...has.subarray(start, end)].map((bit) => 1 - bit));
      const kept = missing.reduce((sum, bit) => sum - bit, missing.length);
      expect(await cache.kept(KEY, start, end)).toBe(kept);
      if (i % 2 === 0) {
        await keep(cache, start, end);
        has.fill(1, start, end);
      }
    }
  });

  it.each([
    ['cut short', (bytes: Uint8Array) => bytes.subarray(0, -1)],
    ['emptied', () => new Uint8Array(0)],
    ['lengthened', (bytes: Uint8Array) => Uint8Array.from([...bytes, 0])],
    [
      'changed in one bit',
      (bytes: Uint8Array) => bytes.map((byte, i) => (i === 50 ? byte ^ 1 : byte)),
    ],
  ])('never uses a piece that was %s, and removes it', async (_what, change) => {
    const store = tamperable();
    await keep(new RangeCache(store), 0, 100);
    await keep(new RangeCache(store), 0, 40);
    store.damage((bytes) => (bytes.length === 100 ? change(bytes) : bytes));
    const visit = new RangeCache(store);
    // The sound piece beneath is found instead.
    expect(await look(visit, 0, 100)).toEqual([[40, 100]]);
    expect((await store.list()).map(({ end }) => end)).toEqual([40]);
  });

  it('notices that another tab removed a piece', async () => {
    const store = memoryStore();
    const [one, two] = [new RangeCache(store), new RangeCache(store)];
    await keep(one, 0, 100);
    expect(await look(two, 0, 100)).toEqual([]);
    await one.clear();
    expect(await look(two, 0, 100)).toEqual([[0, 100]]);
    expect(await one.usage()).toEqual({ bytes: 0, files: 0, full: false });
  });

  it('gives up what was not used longest, never a file in use', async () => {
    const store = memoryStore();
    const before = new RangeCache(store);
    for (const key of ['old', 'read', 'counted', 'new']) await before.put(key, 0, counted(100));
    await before.put('read', 100, counted(100));
    const cache = new RangeCache(store, { maxBytes: 500 });
    expect(await cache.fill('read', 0, new Uint8Array(100))).toEqual([]);
    expect(await cache.kept('counted', 0, 100)).toBe(100);
    await keep(cache, 0, 100);
    expect(await cache.kept('old', 0, 100)).toBe(0);
    await keep(cache, 100, 200);
    expect(await cache.kept('new', 0, 100)).toBe(0);
    // Its other piece is still to be read, and what was counted on too.
    await keep(cache, 200, 300);
    expect(await cache.usage()).toEqual({ bytes: 500, files: 3, full: true });
    expect(await cache.fill('read', 0, new Uint8Array(200))).toEqual([]);
    expect(await cache.fill('counted', 0, new Uint8Array(100))).toEqual([]);
    expect(await look(cache, 0, 300)).toEqual([[200, 300]]);
  });

  it('makes room on a full disk, and goes on without where there is none', async () => {
    const store = memoryStore(250);
    for (const key of ['a', 'b']) await new RangeCache(store).put(key, 0, counted(100));
    const cache = new RangeCache(store);
    await keep(cache, 200, 300);
    expect(await look(cache, 200, 300)).toEqual([]);
    expect(await cache.usage()).toMatchObject({ full: false, bytes: 200 });
    await keep(cache, 300, 400);
    await keep(cache, 400, 500);
    expect(await look(cache, 400, 500)).toEqual([[0, 100]]);
    expect((await cache.usage()).full).toBe(true);
  });

  it('gives up no more than must be, and nothing for nothing', async () => {
    const store = memoryStore(1000);
    for (let i = 0; i < 10; i++) await new RangeCache(store).put(`old${i}`, 0, counted(100));
    // It has looked while there was little: what came since must not count as too much.
    const young = new RangeCache(store);
    await young.put('large', 0, counted(150));
    expect(await young.usage()).toMatchObject({ bytes: 950, files: 9 });
    await young.put('huge', 0, counted(900));
    expect(await young.usage()).toMatchObject({ bytes: 950, files: 9, full: true });
    expect(await young.kept('large', 0, 150)).toBe(150);
  });

  it('gives up what other tabs wrote no sooner than must be', async () => {
    const store = memoryStore(1050);
    const cache = new RangeCache(store);
    await cache.put('first', 0, counted(50));
    for (let i = 0; i < 10; i++) await new RangeCache(store).put(`other${i}`, 0, counted(100));
    await keep(cache, 0, 100);
    expect(await new RangeCache(store).usage()).toMatchObject({ bytes: 1050, files: 11 });
  });

  it('looks around once for many parts, and again when that is long ago', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      const inner = memoryStore(1000);
      for (let i = 0; i < 10; i++) await new RangeCache(inner).put(`old${i}`, 0, counted(100));
      const calls = { list: 0, marks: 0, write: 0 };
      const store: RangeStore = {
        ...inner,
        list: () => ((calls.list += 1), inner.list()),
        marks: () => ((calls.marks += 1), inner.marks()),
        write: (piece, bytes) => ((calls.write += 1), inner.write(piece, bytes)),
      };
      const cache = new RangeCache(store);
      for (let part = 0; part < 10; part++) await keep(cache, 100 * part, 100 * part + 100);
      expect(await look(cache, 0, 1000)).toEqual([]);
      expect(await inner.list()).toHaveLength(10);
      // Once to know what there is, once before something of it is given up.
      expect(calls).toMatchObject({ list: 2, marks: 1 });
      const writes = calls.write;
      for (let part = 0; part < 10; part++) await cache.put('more', 100 * part, counted(100));
      expect(calls).toEqual({ list: 2, marks: 1, write: writes + 1 });
      vi.setSystemTime(Date.now() + 120_000);
      await inner.removeFile(KEY);
      await cache.put('more', 0, counted(100));
      expect(await cache.kept('more', 0, 100)).toBe(100);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('what is kept for whom', () => {
  const keepFor = async (cache: RangeCache, key: string, repo: string, size: number) => {
    await cache.put(key, 0, counted(size, key.charCodeAt(0)));
    await cache.use(key, repo);
  };
  const sizes = async (cache: RangeCache) =>
    (await cache.byRepo()).map(({ repo, bytes }) => [repo, bytes]);

  it('is listed by repo, the largest first, and removed by repo', async () => {
    const store = memoryStore();
    const cache = new RangeCache(store);
    await keepFor(cache, 'a', 'me/one', 100);
    await keepFor(cache, 'b', 'me/one', 50);
    await keepFor(cache, 'c', 'me/two', 300);
    // The same file in two repos, and one that nobody is known to have used.
    await cache.use('b', 'me/two');
    await cache.put('d', 0, counted(7));
    for (const visit of [cache, new RangeCache(store)]) {
      expect(await sizes(visit)).toEqual([
        ['me/two', 350],
        ['me/one', 150],
        ['', 7],
      ]);
    }
    const other = new RangeCache(store);
    await other.removeRepo('me/two');
    expect(await sizes(new RangeCache(store))).toEqual([
      ['me/one', 150],
      ['', 7],
    ]);
    await other.removeRepo('');
    await other.removeRepo('me/one');
    expect(await other.byRepo()).toEqual([]);
    expect(await store.list()).toEqual([]);
    expect(await store.marks()).toEqual([]);
  });

  it('gives way in the order of last use, also by other tabs', async () => {
    const store = memoryStore();
    const before = new RangeCache(store);
    for (const key of ['a', 'b', 'c']) await keepFor(before, key, `me/${key}`, 100);
    const tab = new RangeCache(store, { maxBytes: 300 });
    expect((await tab.usage()).bytes).toBe(300);
    // Written first and used last, in another tab, after this one had looked.
    await new RangeCache(store).use('a', 'me/a');
    await keepFor(tab, 'd', 'me/d', 100);
    expect((await sizes(new RangeCache(store))).map(([repo]) => repo).sort()).toEqual([
      'me/a',
      'me/c',
      'me/d',
    ]);
    expect(await tab.kept('b', 0, 100)).toBe(0);
  });

  it('says once that there is no more room, and keeps what it has', async () => {
    let told = 0;
    const onFull = () => {
      told += 1;
    };
    const cache = new RangeCache(memoryStore(100), { onFull });
    await keepFor(cache, 'a', 'me/a', 80);
    expect(told).toBe(0);
    await keepFor(cache, 'b', 'me/b', 80);
    await keepFor(cache, 'c', 'me/c', 80);
    expect(told).toBe(1);
    expect(await sizes(cache)).toEqual([['me/a', 80]]);
    expect(await cache.kept('a', 0, 80)).toBe(80);
  });

  it('survives that a piece goes while it is read', async () => {
    const inner = memoryStore();
    const gone: Pick<Blob, 'size' | 'bytes'> = {
      size: 100,
      bytes: () => Promise.reject(new DOMException('Gone.', 'NotFoundError')),
    };
    const store = { ...inner, open: () => Promise.resolve(gone as Blob) };
    await keep(new RangeCache(inner), 0, 100);
    expect(await look(new RangeCache(store), 0, 100)).toEqual([[0, 100]]);
  });
});

describe('names of marks', () => {
  it('survive the trip to a store and back; pieces are none', () => {
    for (const repo of ['me/model', 'gpt2', 'a-/b', 'a_b.c/d-e', 'x/y-']) {
      expect(parseMarkName(markName(repo))).toBe(repo);
      expect(parsePieceName(KEY, markName(repo))).toBeNull();
      expect(markName(repo)).not.toContain('/');
    }
    expect(parseMarkName(`0-1-${'a'.repeat(64)}`)).toBeNull();
  });
});

describe('names of pieces', () => {
  it('survive the trip to a store and back; other names are none', () => {
    const piece: Piece = { key: KEY, start: 0, end: 2 ** 40, sha256: 'ab'.repeat(32) };
    expect(parsePieceName(KEY, pieceName(piece))).toEqual(piece);
    for (const name of ['', '1-2', 'x-2-00', `0-1-${'g'.repeat(64)}`, '.crswap']) {
      expect(parsePieceName(KEY, name)).toBeNull();
    }
  });
});
