/** Which files a recipe names, and where their hashes come from. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type CheckpointSource, openWeights } from '@/formats/checkpoint/checkpoint-source';
import { groupLocalFiles } from '@/sources/local-files';
import { f32, soundFile } from '@/tensor/safetensors.fixture';
import { type FullSources } from './sources';
import { type JobEvent } from '@/protocol/events';
import { SourceManifest } from './source-manifest';

const LISTED = 'ab'.repeat(32);

function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function blobOf(...names: string[]): Blob {
  return new Blob([soundFile(Object.fromEntries(names.map((name) => [name, f32([2], [1, 2])])))]);
}

const INDEX = JSON.stringify({
  metadata: {},
  weight_map: { a: 'model-00001-of-00002.safetensors', b: 'model-00002-of-00002.safetensors' },
});

/** Two shards and their index; counts what is read of each. */
function shardedFolder(name: string): { source: CheckpointSource; reads: Map<string, number> } {
  const reads = new Map<string, number>();
  const counted = (path: string, blob: Blob): Blob => {
    const slice = blob.slice.bind(blob);
    blob.slice = (...range) => {
      reads.set(path, (reads.get(path) ?? 0) + 1);
      return slice(...range);
    };
    return blob;
  };
  const files = [
    ['model.safetensors.index.json', new Blob([INDEX])],
    ['model-00001-of-00002.safetensors', blobOf('a')],
    ['model-00002-of-00002.safetensors', blobOf('b')],
  ] as const;
  const local = files.map(([path, file]) => ({
    path: `${name}/${path}`,
    file: counted(path, file),
  }));
  return { source: groupLocalFiles(local).checkpoints[0]!, reads };
}

/** The same as it would lie on a Hub: shards have their hashes listed, small files have none. */
function onHub(source: CheckpointSource, folder: string): CheckpointSource {
  const hub = { repo: 'me/model', commit: 'c'.repeat(40), folder };
  const listedSha256 = (path: string) => (path.endsWith('.safetensors') ? LISTED : null);
  return { ...source, hub, listedSha256 } as CheckpointSource;
}

async function bookOf(base: CheckpointSource, task: CheckpointSource): Promise<SourceManifest> {
  const stored = [await openWeights(base), await openWeights(task)];
  const tasks = [{ name: 'task', title: 'Task', model: task, scoredOn: null }];
  return SourceManifest.ofCheckpoints({ base, tasks } as unknown as FullSources, stored);
}

const PORTS = { emit: () => undefined, signal: new AbortController().signal };

describe('SourceBook', () => {
  it('names index and shards, with hashes of what stands in them', async () => {
    const book = await bookOf(shardedFolder('base').source, shardedFolder('task').source);
    const { base, tasks } = await book.hashedRecords(PORTS);
    expect(base).toMatchObject({
      name: 'base',
      files: [
        { path: 'model.safetensors.index.json', bytes: INDEX.length, sha256: sha256(INDEX) },
        { path: 'model-00001-of-00002.safetensors' },
        { path: 'model-00002-of-00002.safetensors' },
      ],
    });
    const first = new Uint8Array(await blobOf('a').arrayBuffer());
    expect(tasks[0]).toMatchObject({ task: 'task', name: 'task' });
    expect(tasks[0]!.files[1]).toMatchObject({ bytes: first.length, sha256: sha256(first) });
  });

  it('takes the Hub’s own hashes without reading, and reads what has none', async () => {
    const { source, reads } = shardedFolder('base');
    const book = await bookOf(onHub(source, ''), onHub(shardedFolder('task').source, 'sub/folder'));
    reads.clear();
    const { base, tasks } = await book.hashedRecords(PORTS);
    expect(base).toMatchObject({ repo: 'me/model', commit: 'c'.repeat(40) });
    expect(base).not.toHaveProperty('folder');
    expect(tasks[0]).toHaveProperty('folder', 'sub/folder');
    for (const { files } of [base, ...tasks]) {
      expect(files.map((file) => file.sha256)).toEqual([sha256(INDEX), LISTED, LISTED]);
      expect(files[0]!.path).toBe('model.safetensors.index.json');
    }
    expect([...reads.keys()]).toEqual(['model.safetensors.index.json']);
  });

  it('hashes nothing twice, and has as many digits before as after', async () => {
    const { source, reads } = shardedFolder('base');
    const book = await bookOf(source, shardedFolder('task').source);
    const before = JSON.stringify(book.records());
    const hashed = await book.hashedRecords(PORTS);
    expect(JSON.stringify(hashed)).toHaveLength(before.length);
    expect(JSON.stringify(hashed)).not.toBe(before);
    reads.clear();
    expect(await book.hashedRecords(PORTS)).toEqual(hashed);
    expect(reads.size).toBe(0);
  });

  it('keeps what it has hashed when it is stopped, and goes on from there', async () => {
    const { source, reads } = shardedFolder('base');
    const book = await bookOf(source, shardedFolder('task').source);
    const controller = new AbortController();
    const emit = (event: JobEvent): void => {
      if (event.type === 'progress' && /00002-of/.test(event.progress.stage)) controller.abort();
    };
    const { signal } = controller;
    await expect(book.hashedRecords({ emit, signal })).rejects.toThrow(/abort/i);
    reads.clear();
    await book.hashedRecords(PORTS);
    expect([...reads.keys()]).toEqual(['model-00002-of-00002.safetensors']);
  });
});
