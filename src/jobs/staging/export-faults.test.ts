/** Exports that fail or are cancelled leave nothing; zips and exports take each other's place. */
import { testPlatform } from '@/jobs/context/test-platform.fixture';
import { beforeEach, describe, expect, it } from 'vitest';
import { NO_CHOICES } from '@/plan/preflight';
import { createSession } from '@/jobs/session';
import {
  bench,
  exported,
  exportGroup,
  group,
  hear,
  RECIPE,
  requestOf,
} from './export-group.fixture';
import { type MemoryDisk, memoryStore } from '@/jobs/context/memory-store.fixture';

beforeEach(() => {
  bench.events = [];
});

describe('what goes wrong', () => {
  it('refuses what can not fit before it writes a byte', async () => {
    let writes = 0;
    const disk = { capacityBytes: 3000, onWrite: () => (writes += 1) };
    const outcome = await exportGroup(RECIPE, disk);
    // Nor does it hash the sources first, which may take minutes.
    const stages = bench.events.flatMap((event) =>
      event.type === 'progress' ? event.progress.stage : [],
    );
    expect(stages.filter((stage) => stage.startsWith('Hashing'))).toEqual([]);
    expect(outcome).toMatchObject({ status: 'failed', error: { kind: 'out-of-disk' } });
    expect(JSON.stringify(outcome)).toMatch(/needs \d.*grants 3 kB/);
    expect([writes, bench.store.folderCount]).toEqual([0, 0]);
  });

  it('leaves nothing behind when the disk fills up, and none of the export before', async () => {
    const outcome = await exportGroup(RECIPE, { capacityBytes: 4000, toldBytes: null });
    expect(outcome).toMatchObject({ status: 'failed', error: { kind: 'out-of-disk' } });
    expect(JSON.stringify(outcome)).toContain('.safetensors');
    expect(bench.store.folderCount).toBe(0);
    expect(await bench.session.exportedFile('merged.safetensors')).toBeNull();
  });

  it.each(['merged.safetensors', 'pets.sparse.safetensors', 'README.md'])(
    'notices that %s is not what was written',
    async (spoilt) => {
      const spoil: MemoryDisk['spoil'] = (bytes, path) => {
        if (path === spoilt) bytes[bytes.length - 1]! ^= 1;
      };
      const outcome = await exportGroup(RECIPE, { spoil });
      expect(outcome).toMatchObject({ status: 'failed', error: { kind: 'export' } });
      expect(JSON.stringify(outcome)).toContain(spoilt);
      expect(bench.store.folderCount).toBe(0);
    },
  );

  it.each(['merged.safetensors', 'pets.sparse.safetensors', 'config.json', 'README.md'])(
    'leaves nothing when it is cancelled while %s is written',
    async (path) => {
      const onWrite = (at: string): void => {
        if (at === path) void bench.session.cancel();
      };
      expect(await exportGroup(RECIPE, { onWrite })).toEqual({ status: 'cancelled' });
      expect(bench.store.folderCount).toBe(0);
      expect(bench.events.some(({ type }) => type === 'exported')).toBe(false);
      expect(await bench.session.exportedFile('merged.safetensors')).toBeNull();
    },
  );

  it('has nothing to take along before there is an export, or after another group is open', async () => {
    const error = { kind: 'export' };
    bench.session = createSession(testPlatform(memoryStore()));
    expect(await bench.session.zip(hear)).toMatchObject({ status: 'failed', error });
    await exportGroup();
    const files = group();
    await bench.session.open(
      { kind: 'files', files, base: 'base/model.safetensors' },
      NO_CHOICES,
      hear,
    );
    expect(bench.store.folderCount).toBe(0);
    expect(await bench.session.zip(hear)).toMatchObject({ status: 'failed', error });
  });
});

describe('the zip', () => {
  it('holds every file, is packed once for an export, and is the same for the same files', async () => {
    let packed = 0;
    const onWrite = (path: string, at: number): void => {
      if (path.endsWith('.zip') && at === 0) packed += 1;
    };
    await exportGroup(RECIPE, { onWrite });
    const zipped = async (): Promise<Uint8Array> => {
      expect(await bench.session.zip(hear)).toEqual({ status: 'done' });
      const { file } = bench.events.findLast((event) => event.type === 'zipped')!;
      expect(file.name).toBe('peru-export.zip');
      return new Uint8Array(await file.arrayBuffer());
    };
    const first = await zipped();
    expect(await zipped()).toEqual(first);
    expect([packed, bench.store.folderCount]).toEqual([1, 2]);
    const text = new TextDecoder('latin1').decode(first);
    for (const { path } of exported().files) expect(text).toContain(path);
    await bench.session.export(requestOf(RECIPE), hear);
    expect(bench.store.folderCount).toBe(1);
    expect(await zipped()).toEqual(first);
    expect([packed, bench.store.folderCount]).toEqual([2, 2]);
  });

  it('leaves the export alone when there is no room for it', async () => {
    await exportGroup();
    const { bytes } = exported();
    for (const toldBytes of [undefined, null]) {
      const disk = { capacityBytes: 2 * bytes, ...(toldBytes === null ? { toldBytes } : {}) };
      expect(await exportGroup(RECIPE, disk)).toEqual({ status: 'done' });
      expect(await bench.session.zip(hear)).toMatchObject({
        status: 'failed',
        error: { kind: 'out-of-disk' },
      });
      expect(bench.store.folderCount).toBe(1);
      expect(await bench.session.exportedFile('README.md')).not.toBeNull();
    }
  });

  it('is taken back when it is cancelled', async () => {
    const onWrite = (path: string): void => {
      if (path.endsWith('.zip')) void bench.session.cancel();
    };
    expect(await exportGroup(RECIPE, { onWrite })).toEqual({ status: 'done' });
    expect(await bench.session.zip(hear)).toEqual({ status: 'cancelled' });
    expect(bench.store.folderCount).toBe(1);
    expect(bench.events.some(({ type }) => type === 'zipped')).toBe(false);
  });
});
