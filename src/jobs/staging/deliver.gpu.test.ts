/** An export and its ways out, through the worker as the page starts it, on disk as it is. */
import { SPARSE_METHODS } from '@/methods/registry';
import { DEFAULT_LORA } from '@/recipe/lora-choices';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { sha256Hex } from '@/core/sha256';
import { NO_CHOICES } from '@/plan/preflight';
import { f32, soundFile } from '@/tensor/safetensors.fixture';
import { connectWorker } from '@/worker/client';
import { type JobEvent } from '@/protocol/events';
import { type ExportRequest, type SourceRequest } from '@/protocol/requests';
import { holdExports } from '@/platform/browser/export-locks';

const REQUEST: ExportRequest = {
  recipe: {
    mergeMethod: 'simple-average',
    lambda: 1,
    keptPercent: 10,
    scope: 'tensor',
    compressors: SPARSE_METHODS,
    mergedDtype: 'BF16',
    valueDtype: 'I8',
    rescale: 'norm',
    rank: { by: 'count', q: 1 },
    lora: DEFAULT_LORA,
  },
  results: {
    peru: 1,
    adapter: { vendor: '', architecture: '', description: 'test', fallback: true },
    engine: 'webgpu',
    recipe: { mergeMethod: 'simple-average', lambda: 1 },
    tasks: [],
    average: {},
    storage: [],
    seconds: {},
    memory: null,
  },
  link: null,
};

let events: JobEvent[];
const hear = (event: JobEvent): void => {
  events.push(event);
};

function group(): SourceRequest {
  const files = [0, 1, 2].map((t) => {
    const values = Array.from({ length: 5000 }, (_, i) => Math.sin(t + i * 78.233));
    const content = soundFile({ w: f32([100, 50], values), v: f32([7], values.slice(0, 7)) });
    return { path: `m${t}.safetensors`, file: new File([content], `m${t}.safetensors`) };
  });
  return { kind: 'files', files, base: 'm0.safetensors' };
}

/** Folders of exports and zips on this disk. */
async function folderCount(): Promise<number> {
  const root = await navigator.storage.getDirectory();
  const exports = await root.getDirectoryHandle('exports', { create: true });
  let count = 0;
  for await (const name of exports.keys()) if (name !== '') count += 1;
  return count;
}

function heard<Type extends JobEvent['type']>(type: Type): Extract<JobEvent, { type: Type }> {
  const found = events.findLast((event) => event.type === type);
  if (found === undefined) throw new Error(`No ${type} was heard.`);
  return found as Extract<JobEvent, { type: Type }>;
}

/** Files of a zip without compression, by the directory at its end (PKWARE APPNOTE 4.3.12). */
async function zipContents(zip: File): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const bytes = new Uint8Array(await zip.arrayBuffer());
  const view = new DataView(bytes.buffer);
  const end = bytes.length - 22;
  expect(view.getUint32(end, true)).toBe(0x06054b50);
  const found = new Map<string, Uint8Array<ArrayBuffer>>();
  let at = view.getUint32(end + 16, true);
  for (let i = 0; i < view.getUint16(end + 10, true); i++) {
    expect(view.getUint32(at, true)).toBe(0x02014b50);
    const size = view.getUint32(at + 24, true);
    const [name, extra, comment] = [28, 30, 32].map((field) => view.getUint16(at + field, true));
    const local = view.getUint32(at + 42, true);
    const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    const path = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + name!));
    found.set(path, bytes.slice(start, start + size));
    at += 46 + name! + extra! + comment!;
  }
  return found;
}

beforeEach(() => {
  events = [];
});

afterEach(async () => {
  const root = await navigator.storage.getDirectory();
  await root.removeEntry('chosen', { recursive: true }).catch(() => undefined);
});

it('exports, hands out file by file, packs, saves, and gives the room back', async () => {
  const worker = connectWorker();
  const done = { status: 'done' };
  expect(await worker.open(group(), NO_CHOICES, hear)).toEqual(done);
  expect(await worker.load(hear)).toEqual(done);
  expect(await worker.export(REQUEST, hear)).toEqual(done);
  const { files } = heard('exported').facts;
  expect(files.map(({ path }) => path)).toContain('m2.sparse.safetensors');
  expect(await folderCount()).toBe(1);

  const isFile = async (path: string, content: Blob): Promise<void> => {
    const { sha256 } = files.find((file) => file.path === path)!;
    expect(await sha256Hex(new Uint8Array(await content.arrayBuffer()))).toBe(sha256);
  };
  for (const { path } of files) await isFile(path, (await worker.exportedFile(path))!);
  expect(await worker.exportedFile('m9.sparse.safetensors')).toBeNull();

  expect(await worker.zip(hear)).toEqual(done);
  const { file } = heard('zipped');
  const packed = await zipContents(file);
  expect([...packed.keys()]).toEqual(files.map(({ path }) => path));
  for (const [path, bytes] of packed) await isFile(path, new Blob([bytes]));

  const root = await navigator.storage.getDirectory();
  const chosen = await root.getDirectoryHandle('chosen', { create: true });
  expect(await worker.saveTo(chosen, hear)).toEqual(done);
  const saved = await chosen.getDirectoryHandle('peru-export');
  for (const { path } of files)
    await isFile(path, await (await saved.getFileHandle(path)).getFile());

  const { sha256 } = files[0]!;
  expect(await worker.export(REQUEST, hear)).toEqual(done);
  expect(heard('exported').facts.files[0]!.sha256).toBe(sha256);
  expect(await folderCount()).toBe(1);
  // A worker of its own, which finds what the one before has left.
  expect(await worker.open(group(), NO_CHOICES, hear)).toEqual(done);
  await expect.poll(folderCount).toBe(0);
  expect(await worker.exportedFile('merged.safetensors')).toBeNull();
});

it('leaves on disk what a page holds, until it is released', async () => {
  const worker = connectWorker();
  const start = async (): Promise<void> => {
    await worker.open(group(), NO_CHOICES, hear);
    await worker.load(hear);
  };
  await start();
  await worker.export(REQUEST, hear);
  await worker.zip(hear);
  const zip = heard('zipped').file;
  const card = (await worker.exportedFile('README.md'))!;
  const { bytes } = heard('exported').facts;
  const release = await holdExports();
  const stand = async (): Promise<void> => {
    expect((await zip.arrayBuffer()).byteLength).toBeGreaterThan(bytes);
    expect(await card.text()).toContain('merged.safetensors');
  };
  // Another export takes their place, then the worker goes and the next one sweeps.
  await worker.export(REQUEST, hear);
  expect(await folderCount()).toBe(3);
  await stand();
  await start();
  await expect.poll(folderCount).toBe(2);
  await worker.export(REQUEST, hear);
  await stand();
  release();
  await worker.export(REQUEST, hear);
  await expect.poll(folderCount).toBe(1);
  await expect(zip.arrayBuffer()).rejects.toThrow();
  await worker.open(group(), NO_CHOICES, hear);
  await expect.poll(folderCount).toBe(0);
});

it('leaves nothing when it is cancelled', async () => {
  const worker = connectWorker();
  await worker.open(group(), NO_CHOICES, hear);
  await worker.load(hear);
  const exporting = worker.export(REQUEST, (event) => {
    if (event.type === 'progress' && /Writing/.test(event.progress.stage)) void worker.cancel();
  });
  expect(await exporting).toEqual({ status: 'cancelled' });
  expect(await folderCount()).toBe(0);
  expect(await worker.exportedFile('merged.safetensors')).toBeNull();
  await worker.open(group(), NO_CHOICES, hear);
});
