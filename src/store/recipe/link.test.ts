import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readLink, writeLink } from './link';
import { type Recipe } from './state';

const DEMO = { kind: 'demo', demo: 'fft' } as const;

const recipes: fc.Arbitrary<Recipe> = fc.record({
  mergeMethod: fc.constantFrom('simple-average', 'task-arithmetic'),
  lambda: fc.integer({ min: 0, max: 2000 }).map((value) => value / 1000),
  keptPercent: fc.integer({ min: 0, max: 10_000 }).map((value) => value / 100),
  scope: fc.constantFrom('global', 'tensor'),
});

describe('the link', () => {
  it('carries any recipe there and back', () => {
    fc.assert(
      fc.property(recipes, (recipe) => {
        expect(readLink(writeLink('', DEMO, recipe))).toEqual({
          demo: 'fft',
          unknownSource: null,
          recipe,
        });
      }),
    );
  });

  it('takes from any text at all only what is valid', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (lambda, m) => {
        const query = new URLSearchParams({ lambda, m, merge: lambda, scope: m }).toString();
        const { recipe } = readLink(`?${query}`);
        expect(recipe.lambda ?? 0).toBeGreaterThanOrEqual(0);
        expect(recipe.lambda ?? 0).toBeLessThanOrEqual(2);
        expect(recipe.keptPercent ?? 0).toBeGreaterThanOrEqual(0);
        expect(recipe.keptPercent ?? 0).toBeLessThanOrEqual(100);
      }),
    );
  });

  it('ignores what is no number and brings the rest within bounds', () => {
    expect(readLink('?m=abc&lambda=').recipe).toEqual({});
    expect(readLink('?m=250&lambda=-1').recipe).toEqual({ keptPercent: 100, lambda: 0 });
  });

  it('names the sources that this version cannot open, and leaves them behind', () => {
    const { demo, unknownSource } = readLink('?base=o/b@1&task=o/x&task=o/y&m=3');
    expect(demo).toBeNull();
    expect(unknownSource).toBe('base=o/b@1&task=o/x&task=o/y');
    expect(readLink('?demo=lora').unknownSource).toBe('demo=lora');
    expect(readLink('?demo=fft&threads=1').unknownSource).toBeNull();
    const next = new URLSearchParams(writeLink('?base=o/b@1&task=o/x', DEMO, FULL));
    expect([...next.keys()]).toEqual(['demo', 'merge', 'lambda', 'm', 'scope']);
  });

  it('leaves other parameters as they are, and links no files', () => {
    const recipe = readLink(writeLink('', DEMO, { ...FULL })).recipe as Recipe;
    const query = new URLSearchParams(
      writeLink('?threads=1&demo=fft', { kind: 'files', files: [] }, recipe),
    );
    expect(query.get('threads')).toBe('1');
    expect(query.get('demo')).toBeNull();
    expect(query.get('m')).toBe('7.5');
  });
});

const FULL: Recipe = {
  mergeMethod: 'task-arithmetic',
  lambda: 0.3,
  keptPercent: 7.5,
  scope: 'tensor',
};
