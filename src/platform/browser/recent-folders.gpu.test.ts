/** In a browser, for IndexedDB keeps handles; the origin's own folders stand in for the disk's. */
import { clear, createStore } from 'idb-keyval';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  filesOfFolder,
  forgetFolder,
  recentFolders,
  rememberFolder,
  reopenFolder,
} from './recent-folders';

let disk: FileSystemDirectoryHandle;

beforeEach(async () => {
  await clear(createStore('peru-folders', 'recent'));
  const root = await navigator.storage.getDirectory();
  for await (const name of root.keys()) await root.removeEntry(name, { recursive: true });
  disk = await root.getDirectoryHandle('disk', { create: true });
});

async function folder(name: string, files: readonly string[] = []) {
  const made = await disk.getDirectoryHandle(name, { create: true });
  for (const path of files) {
    const parts = path.split('/');
    let inside = made;
    for (const part of parts.slice(0, -1)) {
      inside = await inside.getDirectoryHandle(part, { create: true });
    }
    const file = await inside.getFileHandle(parts.at(-1)!, { create: true });
    const writer = await file.createWritable();
    await writer.write(path);
    await writer.close();
  }
  return made;
}

const names = async () => (await recentFolders()).map(({ name }) => name);

describe('recent folders', () => {
  it('are listed newest first, once each, and no more than eight', async () => {
    expect(await names()).toEqual([]);
    for (let i = 0; i < 9; i++) await rememberFolder(await folder(`f${i}`));
    expect(await names()).toEqual(['f8', 'f7', 'f6', 'f5', 'f4', 'f3', 'f2', 'f1']);
    await rememberFolder(await folder('f3'));
    expect(await names()).toEqual(['f3', 'f8', 'f7', 'f6', 'f5', 'f4', 'f2', 'f1']);
  });

  it('open again with every file below them, by path from the folder on', async () => {
    await rememberFolder(await folder('base', ['config.json', 'sub/deep/model.safetensors']));
    const [recent] = await recentFolders();
    const files = await filesOfFolder(await reopenFolder(recent!));
    const texts = await Promise.all(files.map(async ({ path, file }) => [path, await file.text()]));
    expect(texts.sort()).toEqual([
      ['base/config.json', 'config.json'],
      ['base/sub/deep/model.safetensors', 'sub/deep/model.safetensors'],
    ]);
  });

  it('that are gone say so, and can be forgotten', async () => {
    await rememberFolder(await folder('gone', ['a']));
    await disk.removeEntry('gone', { recursive: true });
    const [recent] = await recentFolders();
    await expect(reopenFolder(recent!).then(filesOfFolder)).rejects.toMatchObject({
      kind: 'source',
      message: 'The folder gone is not where it was.',
    });
    await forgetFolder(recent!.id);
    expect(await names()).toEqual([]);
    await expect(reopenFolder(recent!)).rejects.toMatchObject({ kind: 'source' });
  });

  it('ask the visitor, and say so when refused', async () => {
    await rememberFolder(await folder('asked'));
    const [recent] = await recentFolders();
    const asked: string[] = [];
    const restore = answerPermission('prompt', 'denied', asked);
    try {
      await expect(reopenFolder(recent!)).rejects.toMatchObject({
        kind: 'source',
        message: 'The browser was not allowed to read the folder asked.',
      });
      answerPermission('prompt', 'granted', asked);
      expect((await reopenFolder(recent!)).name).toBe('asked');
      expect(asked).toEqual(['query read', 'request read', 'query read', 'request read']);
    } finally {
      restore();
    }
  });
});

/** Handles from now on answer so; the disk's own permissions can not be set by a test. */
function answerPermission(
  query: PermissionState,
  request: PermissionState,
  asked: string[],
): () => void {
  const prototype = FileSystemHandle.prototype as unknown as Record<string, unknown>;
  const before = { ...permissionMethods(prototype) };
  prototype.queryPermission = ({ mode }: { mode: string }) => {
    asked.push(`query ${mode}`);
    return Promise.resolve(query);
  };
  prototype.requestPermission = ({ mode }: { mode: string }) => {
    asked.push(`request ${mode}`);
    return Promise.resolve(request);
  };
  return () => {
    Object.assign(prototype, before);
  };
}

function permissionMethods({ queryPermission, requestPermission }: Record<string, unknown>) {
  return { queryPermission, requestPermission };
}
