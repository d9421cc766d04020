import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { sha256Hex } from '@/core/sha256';
import { type JobEvent } from '@/protocol/events';
import { saveToFolder } from './save-to-folder';
import { type StagedExport } from '@/jobs/context/export-store';

const PARENT = 'chosen-test';
const LARGE = Uint8Array.from({ length: 9_000_000 }, (_, i) => (i * 7 + (i >> 8)) & 255);
const CONTENTS: Record<string, Uint8Array<ArrayBuffer>> = {
  'merged.safetensors': LARGE,
  'cars/adapter_config.json': new TextEncoder().encode('{}'),
  'empty.txt': new Uint8Array(0),
};

const staged: StagedExport = {
  files: Object.entries(CONTENTS).map(([path, { length }]) => {
    return { path, bytes: length, sha256: '', kind: 'about' };
  }),
  open: (path) => Promise.resolve(new File([CONTENTS[path]!], path)),
};

let root: FileSystemDirectoryHandle;
let chosen: FileSystemDirectoryHandle;
let events: JobEvent[];

function save(signal = new AbortController().signal, onEvent?: (event: JobEvent) => void) {
  const emit = (event: JobEvent): void => {
    events.push(event);
    onEvent?.(event);
  };
  return saveToFolder(staged, chosen, { emit, signal });
}

/** Every file below a folder, by path. */
async function tree(folder: FileSystemDirectoryHandle, at = ''): Promise<Map<string, File>> {
  const found = new Map<string, File>();
  for await (const [name, entry] of folder.entries()) {
    if (entry.kind === 'file') found.set(at + name, await entry.getFile());
    else for (const [path, file] of await tree(entry, `${at}${name}/`)) found.set(path, file);
  }
  return found;
}

async function names(): Promise<string[]> {
  const found: string[] = [];
  for await (const name of chosen.keys()) found.push(name);
  return found.sort();
}

beforeEach(async () => {
  root = await navigator.storage.getDirectory();
  chosen = await root.getDirectoryHandle(PARENT, { create: true });
  events = [];
});

afterEach(async () => {
  vi.restoreAllMocks();
  await root.removeEntry(PARENT, { recursive: true }).catch(() => undefined);
});

describe('saving to a folder', () => {
  it('copies every file as it is, and tells its bytes', async () => {
    expect(await save()).toBe('peru-export');
    const found = await tree(chosen);
    expect([...found.keys()].sort()).toEqual(
      Object.keys(CONTENTS)
        .map((path) => `peru-export/${path}`)
        .sort(),
    );
    for (const [path, bytes] of Object.entries(CONTENTS)) {
      const copy = found.get(`peru-export/${path}`)!;
      expect(await sha256Hex(new Uint8Array(await copy.arrayBuffer()))).toBe(
        await sha256Hex(bytes),
      );
    }
    const told = events.flatMap((event) => (event.type === 'progress' ? [event.progress] : []));
    const total = LARGE.length + 2;
    expect(told.at(-1)).toMatchObject({ stage: 'Saving empty.txt', done: total, total });
  });

  it('writes over nothing: each copy has a folder of its own', async () => {
    const own = await chosen.getFileHandle('peru-export-2', { create: true });
    await save();
    const before = await tree(chosen);
    expect(await save()).toBe('peru-export-3');
    expect(await names()).toEqual(['peru-export', 'peru-export-2', 'peru-export-3']);
    expect((await own.getFile()).size).toBe(0);
    for (const [path, file] of before) {
      expect((await tree(chosen)).get(path)?.lastModified).toBe(file.lastModified);
    }
  });

  it('takes back what it has written when it is cancelled', async () => {
    await chosen.getFileHandle('mine.txt', { create: true });
    const controller = new AbortController();
    const cancelled = save(controller.signal, (event) => {
      if (event.type === 'progress' && event.progress.done > 0) controller.abort();
    });
    await expect(cancelled).rejects.toThrow(/abort/i);
    expect(await names()).toEqual(['mine.txt']);
  });

  it.each([
    ['NotAllowedError', 'not-saved', /not allowed/],
    ['QuotaExceededError', 'out-of-disk', /no room for merged\.safetensors/],
    ['NotFoundError', 'not-saved', /not where it was/],
    ['InvalidStateError', 'not-saved', /merged\.safetensors could not be written/],
  ])('says what to do about %s half-way, and leaves nothing', async (name, kind, message) => {
    let writes = 0;
    const { prototype } = FileSystemWritableFileStream;
    const write = Object.getOwnPropertyDescriptor(prototype, 'write')?.value as (
      data: FileSystemWriteChunkType,
    ) => Promise<void>;
    vi.spyOn(prototype, 'write').mockImplementation(function (
      this: FileSystemWritableFileStream,
      data,
    ) {
      writes += 1;
      if (writes > 1) return Promise.reject(new DOMException('Simulated.', name));
      return write.call(this, data);
    });
    await expect(save()).rejects.toMatchObject({
      kind,
      message: expect.stringMatching(message) as string,
    });
    expect(writes).toBe(2);
    expect(await names()).toEqual([]);
  });

  it('says that the folder is gone before it writes anything', async () => {
    await root.removeEntry(PARENT);
    await expect(save()).rejects.toMatchObject({
      kind: 'not-saved',
      message: expect.stringMatching(/chosen-test.*not where it was/) as string,
    });
  });

  it('notices a file that was cut short', async () => {
    const { prototype } = FileSystemWritableFileStream;
    vi.spyOn(prototype, 'write').mockResolvedValue(undefined);
    await expect(save()).rejects.toMatchObject({
      kind: 'not-saved',
      message: expect.stringMatching(/0 of 9000000 bytes/) as string,
    });
    expect(await names()).toEqual([]);
  });
});
