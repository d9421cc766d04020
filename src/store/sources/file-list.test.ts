import { describe, expect, it } from 'vitest';
import { addToList, fileSets, removeFromList } from './file-list';
import { type AddedFile } from '@/store/state/sources';

const entry = (path: string, text = path): AddedFile => ({
  path,
  file: new File([text], path.split('/').at(-1) ?? path, { lastModified: 1 }),
});
const pathsOf = (files: readonly AddedFile[]) => files.map(({ path }) => path);

describe('the list of files', () => {
  it('keeps files of one name, size and date that were added one after the other', async () => {
    let files: readonly AddedFile[] = [];
    for (const text of ['one', 'two', 'six']) {
      files = await addToList(files, [entry('model.safetensors', text)]);
    }
    expect(pathsOf(files)).toEqual([
      'model.safetensors',
      'added-2/model.safetensors',
      'added-3/model.safetensors',
    ]);
    expect(await Promise.all(files.map(({ file }) => file.text()))).toEqual(['one', 'two', 'six']);
  });

  it('keeps loose files whole batch by batch, those that are alike too', async () => {
    const first = await addToList(
      [],
      [entry('model.safetensors', 'one'), entry('config.json', '{}')],
    );
    const both = await addToList(first, [
      entry('model.safetensors', 'two'),
      entry('config.json', '{}'),
    ]);
    expect(pathsOf(both)).toEqual([
      'model.safetensors',
      'config.json',
      'added-2/model.safetensors',
      'added-2/config.json',
    ]);
    expect(await addToList(both, [entry('model.safetensors', 'one')])).toHaveLength(5);
  });

  it('keeps folders of one name, size and date whose bytes differ', async () => {
    const first = await addToList([], [entry('out/config.json', '{}'), entry('out/w', 'one')]);
    const both = await addToList(first, [entry('out/config.json', '{}'), entry('out/w', 'two')]);
    expect(pathsOf(both.slice(2))).toEqual(['added-2/out/config.json', 'added-2/out/w']);
    // The second one, added again: it is found where it went.
    const again = [entry('out/config.json', '{}'), entry('out/w', 'two'), entry('out/new', '')];
    expect(pathsOf((await addToList(both, again)).slice(4))).toEqual(['added-2/out/new']);
  });

  it('takes what is new of a folder that is there already', async () => {
    const once = await addToList([], [entry('m/config.json'), entry('m/a.safetensors')]);
    const again = [entry('m/config.json'), entry('m/a.safetensors'), entry('m/b.safetensors')];
    expect(pathsOf(await addToList(once, again))).toEqual([
      'm/config.json',
      'm/a.safetensors',
      'm/b.safetensors',
    ]);
  });

  it('lists sets as people count, in whatever order they came', () => {
    const files = ['task10', 'base', 'task9', 'task2'].map((name) => entry(`${name}/config.json`));
    expect(fileSets(files).map(({ root }) => root)).toEqual(['base', 'task2', 'task9', 'task10']);
  });

  it('lists and removes by folder, single files by themselves', async () => {
    const files = await addToList(
      [],
      [entry('x/config.json'), entry('x/model.safetensors'), entry('y')],
    );
    expect(fileSets(files)).toEqual([
      { root: 'x', fileCount: 2, byteLength: 'x/config.jsonx/model.safetensors'.length },
      { root: 'y', fileCount: 1, byteLength: 1 },
    ]);
    expect(removeFromList(files, 'x').map(({ path }) => path)).toEqual(['y']);
  });
});
