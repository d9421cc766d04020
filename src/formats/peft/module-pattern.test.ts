import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileFullMatch, ModulePatternError } from './module-pattern';

interface Facts {
  readonly texts: readonly string[];
  readonly matched: Readonly<Record<string, readonly string[] | null>>;
}

const facts = JSON.parse(
  readFileSync(new URL('./golden/patterns.json', import.meta.url), 'utf8'),
) as Facts;
/** Python's, but nothing that names of modules need. */
const NOT_READ = ['a++b', '(?>a)b', '(a)\\1', '(?#note)a'];

describe('compileFullMatch', () => {
  const patterns = Object.keys(facts.matched);

  it.each(patterns.filter((pattern) => !NOT_READ.includes(pattern)))(
    'reads %s as Python does',
    (pattern) => {
      const expected = facts.matched[pattern];
      if (expected === null) {
        expect(() => compileFullMatch(pattern)).toThrow(ModulePatternError);
        return;
      }
      const matches = compileFullMatch(pattern);
      expect(facts.texts.filter(matches)).toEqual(expected);
    },
  );

  it.each(NOT_READ)('refuses %s, which Python knows', (pattern) => {
    expect(() => compileFullMatch(pattern)).toThrow(ModulePatternError);
  });

  it('agrees with the regular expressions of JavaScript where the two languages agree', () => {
    const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\.', '\\w', '^', '$', '\\b');
    const { pattern } = fc.letrec<{ pattern: string; sequence: string; piece: string }>((tie) => ({
      pattern: fc
        .array(tie('sequence'), { minLength: 1, maxLength: 3, depthIdentifier: 'p' })
        .map((branches) => branches.join('|')),
      sequence: fc
        .array(tie('piece'), { maxLength: 4, depthIdentifier: 'p' })
        .map((p) => p.join('')),
      piece: fc.oneof(
        { depthIdentifier: 'p', maxDepth: 3 },
        atom,
        fc
          .tuple(fc.constantFrom('a', 'b', '.', '\\.', '[.a]'), fc.constantFrom('*', '+?', '{1,2}'))
          .map((p) => p.join('')),
        fc
          .tuple(
            fc.constantFrom('(', '(?:', '(?=', '(?!', '(?<=', '(?<!'),
            tie('pattern'),
            fc.constantFrom('', '*', '?', '+', '{2}', '{0,3}?'),
          )
          // JavaScript does not repeat lookaround.
          .map(([open, inner, count]) => `${open}${inner})${/[=!]/.test(open) ? '' : count}`),
      ),
    }));
    const texts = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 6 }), {
      minLength: 4,
      maxLength: 4,
    });
    fc.assert(
      fc.property(pattern, texts, (source, names) => {
        const expected = new RegExp(`^(?:${source})$`, 'u');
        const matches = compileFullMatch(source);
        for (const name of names) expect(matches(name)).toBe(expected.test(name));
      }),
      { numRuns: 3000 },
    );
  });

  it.each([
    '(a+)+b',
    '(a|a)*b',
    '(a|aa)+b',
    'a*a*a*a*a*a*a*a*a*a*b',
    '((a*)*)*b',
    '(a?){200}a{100}b',
  ])('comes to an end with %s, which hangs a backtracking engine', (pattern) => {
    const matches = compileFullMatch(pattern);
    expect(matches('a'.repeat(200))).toBe(false);
    expect(matches(`${'a'.repeat(200)}b`)).toBe(true);
  });

  it('gives up what takes too long, and what is too long or too deep', () => {
    const slow = compileFullMatch('(?:(?:(?:a{0,1000}){0,1000}){0,1000}){0,1000}(?=(?:.*.*)*x)');
    expect(() => slow('a'.repeat(3000))).toThrow(/takes too long/);
    expect(() => compileFullMatch('a'.repeat(30_000))).toThrow(/longer than/);
    expect(() => compileFullMatch('('.repeat(5000))).toThrow(/nests more than/);
    expect(() => compileFullMatch('a{5000}')).toThrow(/more than 1000 times/);
  });
});
