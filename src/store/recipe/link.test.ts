import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readLink, writeLink } from './link';
import { type GroupKind } from '@/store/method';
import { type RankChoice, type Recipe } from './state';

const DEMO = { kind: 'demo', demo: 'fft' } as const;

const ranks: fc.Arbitrary<RankChoice> = fc.oneof(
  fc.record({ by: fc.constant('count' as const), q: fc.integer({ min: 1, max: 256 }) }),
  fc.record({
    by: fc.constant('energy' as const),
    percent: fc.integer({ min: 5000, max: 10_000 }).map((value) => value / 100),
  }),
  fc.record({ by: fc.constant('bytes' as const), budget: fc.integer({ min: 0, max: 2 ** 30 }) }),
);

const recipes: fc.Arbitrary<Recipe> = fc.record({
  mergeMethod: fc.constantFrom('simple-average', 'task-arithmetic'),
  lambda: fc.integer({ min: 0, max: 2000 }).map((value) => value / 1000),
  keptPercent: fc.integer({ min: 0, max: 10_000 }).map((value) => value / 100),
  scope: fc.constantFrom('global', 'tensor'),
  rank: ranks,
});

const FULL_ONLY = ['keptPercent', 'scope'];

/** What a link of this kind of group carries of a recipe. */
function carried(kind: GroupKind, recipe: Recipe): Partial<Recipe> {
  const left = kind === 'full' ? ['rank'] : FULL_ONLY;
  return Object.fromEntries(Object.entries(recipe).filter(([name]) => !left.includes(name)));
}

describe('the link', () => {
  it('carries any recipe there and back', () => {
    fc.assert(
      fc.property(recipes, recipes, (recipe, before) => {
        for (const kind of ['full', 'adapters'] as const) {
          const demo = kind === 'full' ? DEMO : { ...DEMO, demo: 'lora' as const };
          // Whatever the address carried before, of either kind, gives way.
          const other = writeLink('', DEMO, kind === 'full' ? 'adapters' : 'full', before);
          expect(readLink(writeLink(other, demo, kind, recipe))).toEqual({
            demo: demo.demo,
            unknownSource: null,
            recipe: carried(kind, recipe),
          });
        }
      }),
    );
  });

  it('takes from any text at all only what is valid', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (lambda, m) => {
        const rest = { merge: lambda, scope: m, rank: m, q: lambda, energy: m, budget: lambda };
        const query = new URLSearchParams({ lambda, m, ...rest }).toString();
        const { recipe } = readLink(`?${query}`);
        const { q } = { q: 1, ...recipe.rank };
        expect(q).toBeGreaterThanOrEqual(1);
        expect(q).toBeLessThanOrEqual(256);
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
    expect(readLink('?q=0').recipe.rank).toEqual({ by: 'count', q: 1 });
    expect(readLink('?rank=energy&energy=20').recipe.rank).toEqual({ by: 'energy', percent: 50 });
    expect(readLink('?rank=energy&q=4').recipe, 'a mode needs its own number').toEqual({});
    expect(readLink('?rank=depth&q=4').recipe).toEqual({});
  });

  it('names the sources that this version cannot open, and leaves them behind', () => {
    const { demo, unknownSource } = readLink('?base=o/b@1&task=o/x&task=o/y&m=3');
    expect(demo).toBeNull();
    expect(unknownSource).toBe('base=o/b@1&task=o/x&task=o/y');
    expect(readLink('?demo=lora')).toMatchObject({ demo: 'lora', unknownSource: null });
    expect(readLink('?demo=moe').unknownSource).toBe('demo=moe');
    expect(readLink('?demo=fft&threads=1').unknownSource).toBeNull();
    const next = new URLSearchParams(writeLink('?base=o/b@1&task=o/x', DEMO, 'full', FULL));
    expect([...next.keys()]).toEqual(['demo', 'merge', 'lambda', 'm', 'scope']);
  });

  it('leaves other parameters as they are, and links no files', () => {
    const recipe = readLink(writeLink('', DEMO, 'full', FULL)).recipe as Recipe;
    const query = new URLSearchParams(
      writeLink('?threads=1&demo=fft', { kind: 'files', files: [] }, 'full', recipe),
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
  rank: { by: 'count', q: 8 },
};
