import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchesGlob, matchesPatterns } from './name-patterns';

describe('matchesGlob', () => {
  it.each([
    ['', '', true],
    ['', '*', true],
    ['', '?', false],
    ['a.b', 'a.b', true],
    ['axb', 'a.b', false],
    ['a.b', 'a.', false],
    ['a.b', '.b', false],
    ['layers.11.mlp', 'layers.?.mlp', false],
    ['layers.11.mlp', 'layers.??.mlp', true],
    ['layers.11.mlp', '*.mlp', true],
    ['layers.11.mlp', 'layers*', true],
    ['layers.11.mlp', '*11*', true],
    ['aab', '*ab', true],
    ['abab', 'a*b?', false],
    ['a+b(c)[d]^$|\\', 'a+b(c)[d]^$|\\', true],
    ['[x]', '[xy]', false],
    ['a😀b', 'a?b', true],
    ['层', '?', true],
  ])('%s like %s: %s', (name, glob, expected) => {
    expect(matchesGlob(name, glob)).toBe(expected);
  });

  it('agrees with a definition by recursion', () => {
    const fits = (name: string, glob: string): boolean => {
      if (glob === '') return name === '';
      if (glob[0] === '*') {
        return fits(name, glob.slice(1)) || (name !== '' && fits(name.slice(1), glob));
      }
      return (
        name !== '' &&
        (glob[0] === '?' || glob[0] === name[0]) &&
        fits(name.slice(1), glob.slice(1))
      );
    };
    const text = fc.stringMatching(/^[ab.]{0,8}$/);
    const glob = fc.stringMatching(/^[ab.*?]{0,7}$/);
    fc.assert(
      fc.property(text, glob, (name, one) => matchesGlob(name, one) === fits(name, one)),
      {
        numRuns: 2000,
      },
    );
  });

  it('stays fast on patterns that make regular expressions hang', () => {
    expect(matchesGlob('a'.repeat(5000), `${'a*'.repeat(500)}b`)).toBe(false);
  });
});

describe('matchesPatterns', () => {
  it('takes all without patterns, and blank ones for none', () => {
    expect(matchesPatterns('a', { include: [], exclude: [] })).toBe(true);
    expect(matchesPatterns('a', { include: ['', ' '], exclude: [''] })).toBe(true);
  });

  it('lets exclude win', () => {
    expect(matchesPatterns('a.bias', { include: ['a.*'], exclude: ['*.bias'] })).toBe(false);
    expect(matchesPatterns('a.weight', { include: ['b', 'a.*'], exclude: ['*.bias'] })).toBe(true);
    expect(matchesPatterns('c', { include: ['b', 'a.*'], exclude: [] })).toBe(false);
  });
});
