import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { repoProblem, suggestedName } from './repo-name';
import { indexTotal } from './selectors';
import { WRITE_SCOPES, writeAccess } from '@/store/actions/write-access';

describe('a repo’s name', () => {
  it('is taken or refused as the Hub does', () => {
    for (const repo of ['me/merged', 'my-org/a_b.c-1', 'm/x']) expect(repoProblem(repo)).toBeNull();
    for (const repo of [
      ...['', 'me', '/x', 'me/', 'a/b/c', 'me/two words', 'me/straße'],
      ...['me/-x', 'me/x.', 'me/a--b', 'me/a..b', 'me/x.git', `me/${'x'.repeat(97)}`],
    ]) {
      expect(repoProblem(repo), repo).toMatch(/\.$/);
    }
  });

  it('is suggested from any title, and always taken', () => {
    expect(suggestedName('CLIP ViT-B/32 on eight tasks')).toBe('peru-clip-vit-b-32-on-eight-tasks');
    expect(suggestedName('Überblick')).toBe('peru-uberblick');
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (title) => {
        expect(repoProblem(`me/${suggestedName(title)}`)).toBeNull();
      }),
    );
  });
});

describe('who may write', () => {
  const signedIn = (scopes: readonly string[]) =>
    ({ status: 'in', name: 'me', scopes, note: null }) as const;
  const out = { status: 'out', note: null } as const;

  it('is told from what was granted, or left to the Hub for a token', () => {
    expect(writeAccess(signedIn(WRITE_SCOPES), 't')).toBe('signed-in');
    expect(writeAccess(signedIn(['openid', 'read-repos']), 't')).toBe('read-only');
    expect(writeAccess({ status: 'waiting' }, 't'), 'the token of a lesser sign-in').toBe(
      'waiting',
    );
    expect(writeAccess(out, 't')).toBe('token');
    expect(writeAccess(out, '')).toBe('none');
  });
});

describe('the cost of positions', () => {
  it('is summed over the tasks, and nothing for adapters', () => {
    const cost = { task: 'a', kept: 1, gapBytes: 10, entropyBytes: 6 };
    expect(indexTotal([cost, cost])).toEqual({ gapBytes: 20, entropyBytes: 12 });
    expect(indexTotal([])).toBeNull();
  });
});
