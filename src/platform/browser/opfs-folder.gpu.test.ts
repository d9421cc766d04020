import { type Remote, wrap } from 'comlink';
import { afterEach, beforeEach, expect, describe, it } from 'vitest';
import { sha256Hex } from '@/core/sha256';
import { type DiskFault, type OpfsWorker } from './opfs-worker.fixture';

const STORE = 'exports-test';
const BYTES = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7 + (i >> 8)) & 255);

let worker: Worker;
let remote: Remote<OpfsWorker>;
const others: Worker[] = [];

function start(): { worker: Worker; remote: Remote<OpfsWorker> } {
  const url = new URL('./opfs-worker.fixture.ts', import.meta.url);
  const started = new Worker(url, { type: 'module' });
  others.push(started);
  return { worker: started, remote: wrap<OpfsWorker>(started) };
}

async function names(): Promise<string[]> {
  const root = await navigator.storage.getDirectory();
  const found: string[] = [];
  for await (const name of (await root.getDirectoryHandle(STORE)).keys()) found.push(name);
  return found;
}

beforeEach(() => {
  ({ worker, remote } = start());
});

afterEach(async () => {
  for (const one of others.splice(0)) one.terminate();
  const root = await navigator.storage.getDirectory();
  // Handles of a worker that has just ended may be open for a moment.
  await expect
    .poll(() =>
      root.removeEntry(STORE, { recursive: true }).then(
        () => true,
        () => false,
      ),
    )
    .toBe(true);
});

describe('the folder of an export on disk', () => {
  it('holds what was written, in whatever order', async () => {
    const folder = await remote.create(STORE);
    const parts = [
      { bytes: BYTES.slice(100_000), at: 100_000 },
      { bytes: BYTES.slice(0, 100_000), at: 0 },
    ];
    expect(await remote.write(folder, 'task/adapter_model.safetensors', parts)).toBeNull();
    expect(await remote.write(folder, 'README.md', [])).toBeNull();
    const file = await remote.read(folder, 'task/adapter_model.safetensors');
    expect(await sha256Hex(new Uint8Array(await file.arrayBuffer()))).toBe(await sha256Hex(BYTES));
    expect((await remote.read(folder, 'README.md')).size).toBe(0);
    await expect(remote.read(folder, 'other')).rejects.toThrow(/not on this disk any more/);
    expect(await remote.freeBytes(STORE)).toBeGreaterThan(BYTES.length);
  });

  it('is removed with open files and all, and can not be written to any more', async () => {
    const folder = await remote.create(STORE);
    await remote.write(folder, 'a/b', [{ bytes: BYTES, at: 0 }]);
    await remote.write(folder, 'a/c', [{ bytes: BYTES, at: 0 }], true);
    expect(await names()).toHaveLength(1);
    await remote.remove(folder);
    await remote.remove(folder);
    expect(await names()).toEqual([]);
    expect(await remote.write(folder, 'a/d', [])).not.toBeNull();
    expect(await names()).toEqual([]);
  });

  it('leaves nothing, however far the opening of a file has come when it is removed', async () => {
    for (let i = 0; i < 20; i++) {
      const folder = await remote.create(STORE);
      const writing = remote.write(folder, 'a/b', []);
      for (let turn = 0; turn < i; turn++) await remote.freeBytes(STORE);
      await remote.remove(folder);
      await writing;
      expect(await names()).toEqual([]);
    }
  });

  it('is swept away once its tab is closed, never before', async () => {
    await remote.write(await remote.create(STORE), 'a', [{ bytes: BYTES, at: 0 }], true);
    const other = start().remote;
    await other.sweep(STORE);
    expect(await names()).toHaveLength(1);
    worker.terminate();
    await expect
      .poll(async () => {
        await other.sweep(STORE);
        return names();
      })
      .toEqual([]);
  });

  it.each<DiskFault>(['short', 'huge', 'quota', 'flush'])(
    'says which file found no room when a write comes out %s',
    async (fault) => {
      const folder = await remote.create(STORE);
      await remote.fill(fault);
      const error = await remote.write(folder, 'merged.safetensors', [{ bytes: BYTES, at: 0 }]);
      expect(error).toMatchObject({
        kind: 'out-of-disk',
        message: expect.stringMatching(/merged\.safetensors.*grants \d+.*B/) as string,
        hint: expect.stringMatching(/free space on this disk/) as string,
      });
      await remote.remove(folder);
      expect(await names()).toEqual([]);
    },
  );
});
