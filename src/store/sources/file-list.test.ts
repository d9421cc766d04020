import { describe, expect, it } from 'vitest';
import { addToList, fileSets, removeFromList } from './file-list';
import { type LocalFile } from './state';

const entry = (path: string, text = path, lastModified = 1): LocalFile => ({
  path,
  file: new File([text], path.split('/').at(-1) ?? path, { lastModified }),
});

describe('the list of files', () => {
  it('grows, and takes no file twice', () => {
    const once = addToList([], [entry('a.safetensors')]);
    expect(addToList(once, [entry('a.safetensors'), entry('b.safetensors')])).toHaveLength(2);
  });

  it('moves a batch aside as a whole when its names are taken', () => {
    const first = addToList([], [entry('model.safetensors', 'one'), entry('config.json', 'one')]);
    const added = [entry('model.safetensors', 'other one'), entry('config.json', 'other')];
    const both = addToList(first, added);
    expect(both.map(({ path }) => path)).toEqual([
      'model.safetensors',
      'config.json',
      'added-2/model.safetensors',
      'added-2/config.json',
    ]);
    expect(addToList(both, added)).toHaveLength(4);
    const third = addToList(both, [entry('model.safetensors', 'a third')]);
    expect(third.at(-1)?.path).toBe('added-3/model.safetensors');
  });

  it('lists and removes by folder, single files by themselves', () => {
    const files = addToList([], [entry('x/config.json'), entry('x/model.safetensors'), entry('y')]);
    expect(fileSets(files)).toEqual([
      { root: 'x', fileCount: 2, byteLength: 'x/config.jsonx/model.safetensors'.length },
      { root: 'y', fileCount: 1, byteLength: 1 },
    ]);
    expect(removeFromList(files, 'x').map(({ path }) => path)).toEqual(['y']);
  });
});
