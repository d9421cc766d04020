import { describe, expect, it } from 'vitest';
import { filesOfDrop, foldersOfDrop } from './read-drop';

/** What a browser hands out for a dropped file, or for a folder of these. */
function entry(path: string, children?: readonly FileSystemEntry[]): FileSystemEntry {
  const name = path.split('/').at(-1) ?? path;
  const common = { name, fullPath: `/${path}` };
  if (children === undefined) {
    return {
      ...common,
      isFile: true,
      isDirectory: false,
      file: (resolve: (file: File) => void) => {
        resolve(new File([path], name));
      },
    } as unknown as FileSystemEntry;
  }
  return {
    ...common,
    isFile: false,
    isDirectory: true,
    createReader: () => {
      let read = 0;
      return {
        readEntries: (resolve: (entries: readonly FileSystemEntry[]) => void) => {
          resolve(children.slice(read, (read += 100)));
        },
      };
    },
  } as unknown as FileSystemEntry;
}

/** A drop whose list empties itself once the task that it came in has ended, as in browsers. */
function drop(
  entries: readonly FileSystemEntry[],
  handles: readonly (() => Promise<unknown>)[] = [],
): DataTransfer {
  const items = entries.map((one, i) => ({
    webkitGetAsEntry: () => one,
    ...(handles[i] === undefined ? {} : { getAsFileSystemHandle: handles[i] }),
  }));
  queueMicrotask(() => items.splice(0));
  return { items, files: [] } as unknown as DataTransfer;
}

const paths = async (transfer: DataTransfer) =>
  (await filesOfDrop(transfer)).map(({ path }) => path).sort();

describe('a drop', () => {
  it('gives the files of several folders and loose ones, nested, each with its path', async () => {
    const base = entry('base', [
      entry('base/config.json'),
      entry('base/sub', [entry('base/sub/model.safetensors')]),
    ]);
    const task = entry('task', [entry('task/model.safetensors')]);
    expect(await paths(drop([base, task, entry('loose.safetensors')]))).toEqual([
      'base/config.json',
      'base/sub/model.safetensors',
      'loose.safetensors',
      'task/model.safetensors',
    ]);
  });

  it('gives every file of a folder that the browser hands out in portions', async () => {
    const names = Array.from({ length: 250 }, (_, i) => `base/${i}.safetensors`);
    expect(
      await paths(
        drop([
          entry(
            'base',
            names.map((name) => entry(name)),
          ),
        ]),
      ),
    ).toHaveLength(250);
  });

  it('keeps folders of one name apart', async () => {
    const folder = () => entry('model', [entry('model/config.json')]);
    expect(await paths(drop([folder(), folder(), folder()]))).toEqual([
      '2-model/config.json',
      '3-model/config.json',
      'model/config.json',
    ]);
  });

  it('gives handles of its folders, and of nothing else', async () => {
    const handle = (kind: string) => () => Promise.resolve({ kind });
    const refused = () => Promise.reject(new Error('Not allowed.'));
    const entries = ['a', 'b', 'c', 'd'].map((name) => entry(name));
    const found = await foldersOfDrop(
      drop(entries, [handle('directory'), handle('file'), refused]),
    );
    expect(found).toEqual([{ kind: 'directory' }]);
  });
});
