import { describe, expect, it } from 'vitest';
import { addReferences, replaceReference, splitReferences } from './references';

describe('the list of repos', () => {
  it('takes several from one text, however they are parted', () => {
    expect(
      splitReferences(' o/a\n\to/b@refs/pr/7,o/c/folder@v1 ;https://hub.example/o/d\n'),
    ).toEqual(['o/a', 'o/b@refs/pr/7', 'o/c/folder@v1', 'https://hub.example/o/d']);
    expect(splitReferences(' \n ')).toEqual([]);
  });

  it('grows in order and takes nothing twice', () => {
    expect(addReferences(['o/a'], ['o/b', 'o/a', 'o/b'])).toEqual(['o/a', 'o/b']);
  });

  it('puts one in the place of another, also where that is gone or the one is there', () => {
    expect(replaceReference(['o/a', 'o/b'], 'o/a', 'o/a@refs/pr/7')).toEqual([
      'o/a@refs/pr/7',
      'o/b',
    ]);
    expect(replaceReference(['o/b'], 'o/a', 'o/c')).toEqual(['o/b', 'o/c']);
    expect(replaceReference(['o/a', 'o/b'], 'o/a', 'o/b')).toEqual(['o/b']);
  });
});
