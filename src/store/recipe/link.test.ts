import { SPARSE_METHODS } from '@/methods/registry';
import { DEFAULT_LORA } from '@/recipe/lora-choices';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { groupOf } from '@/store/state/scripted-worker';
import { type LinkedSource, readLink, writeLink } from './link';
import { type GroupKind } from '@/recipe/parsed-method';
import { RESCALES } from '@/recipe/stored-values';
import { DEFAULT_RECIPE, type RankChoice, type Recipe } from '@/store/state/recipe';

const NO_PATTERNS = { include: [], exclude: [] };
const NOTHING = {
  request: null,
  kind: 'full',
  cards: [],
  patterns: NO_PATTERNS,
  hubUrl: null,
} as const;
const DEMO: LinkedSource = { ...NOTHING, request: { kind: 'demo', demo: 'fft' } };
const LORA: LinkedSource = {
  ...NOTHING,
  request: { kind: 'demo', demo: 'lora' },
  kind: 'adapters',
};

const ranks: fc.Arbitrary<RankChoice> = fc.oneof(
  fc.record({ by: fc.constant('count' as const), q: fc.integer({ min: 1, max: 256 }) }),
  fc.record({
    by: fc.constant('energy' as const),
    percent: fc.integer({ min: 5000, max: 10_000 }).map((value) => value / 100),
  }),
  fc.record({
    by: fc.constant('fro' as const),
    share: fc.integer({ min: 30, max: 100 }).map((n) => n / 100),
  }),
  fc.record({ by: fc.constant('ratio' as const), ratio: fc.integer({ min: 1, max: 1000 }) }),
  fc.record({ by: fc.constant('bytes' as const), budget: fc.integer({ min: 0, max: 2 ** 30 }) }),
);

const recipes: fc.Arbitrary<Recipe> = fc.record({
  mergeMethod: fc.constantFrom('simple-average', 'task-arithmetic'),
  lambda: fc.integer({ min: 0, max: 2000 }).map((value) => value / 1000),
  keptPercent: fc.integer({ min: 0, max: 10_000 }).map((value) => value / 100),
  scope: fc.constantFrom('global', 'tensor'),
  compressors: fc.constantFrom(SPARSE_METHODS, ['peru-fft'] as const),
  mergedDtype: fc.constantFrom(null, 'F32', 'F16', 'BF16'),
  valueDtype: fc.constantFrom('F32', 'F16', 'BF16', 'I8'),
  rescale: fc.constantFrom(...RESCALES),
  rank: ranks,
  lora: fc.constant(DEFAULT_LORA),
});

const FULL_ONLY = ['keptPercent', 'scope', 'compressors', 'mergedDtype', 'valueDtype', 'rescale'];

/** What a link of this kind of group carries of a recipe. */
function carried(kind: GroupKind, recipe: Recipe): Partial<Recipe> {
  const usual = [
    ...(recipe.mergedDtype === null ? ['mergedDtype'] : []),
    ...(recipe.valueDtype === 'F16' ? ['valueDtype'] : []),
    ...(recipe.rescale === 'norm' ? ['rescale'] : []),
    ...(recipe.compressors === SPARSE_METHODS ? ['compressors'] : []),
  ];
  const left = kind === 'full' ? ['rank', 'lora', ...usual] : [...FULL_ONLY, 'lora'];
  return Object.fromEntries(Object.entries(recipe).filter(([name]) => !left.includes(name)));
}

describe('the link', () => {
  it('names compressors only where not all are run, and never leaves PERU-FFT out', () => {
    const query = writeLink('', DEMO, { ...DEFAULT_RECIPE, compressors: ['peru-fft'] });
    expect(query).toContain('&compress=peru-fft');
    expect(readLink(query).recipe.compressors).toEqual(['peru-fft']);
    expect(writeLink(query, DEMO, DEFAULT_RECIPE)).not.toContain('compress');
    expect(readLink('?compress=post-pruning').recipe).not.toHaveProperty('compressors');
    const both = readLink('?compress=post-pruning+peru-fft').recipe.compressors;
    expect(both).toEqual(SPARSE_METHODS);
  });

  it('carries any recipe there and back', () => {
    fc.assert(
      fc.property(recipes, recipes, (recipe, before) => {
        for (const [source, past] of [
          [DEMO, LORA],
          [LORA, DEMO],
        ] as const) {
          // Whatever the address carried before, of either kind, gives way.
          const other = writeLink('', past, before);
          expect(readLink(writeLink(other, source, recipe))).toEqual({
            demo: source === DEMO ? 'fft' : 'lora',
            repos: null,
            patterns: NO_PATTERNS,
            hubUrl: null,
            engine: null,
            unknownSource: null,
            recipe: carried(source.kind, recipe),
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
    expect(readLink('?values=I4&dtype=I8').recipe, 'weights are never stored as I8').toEqual({});
    expect(readLink('?values=I8&rescale=double').recipe).toEqual({ valueDtype: 'I8' });
    expect(readLink('?values=I8&dtype=BF16').recipe).toEqual({
      valueDtype: 'I8',
      mergedDtype: 'BF16',
    });
  });

  it('names the sources that can not be opened', () => {
    expect(readLink('?demo=lora')).toMatchObject({ demo: 'lora', unknownSource: null });
    expect(readLink('?demo=moe').unknownSource).toBe('demo=moe');
    expect(readLink('?demo=fft&threads=1').unknownSource).toBeNull();
    expect(readLink('?demo=fft&engine=processor').engine).toBe('processor');
    expect(readLink('?demo=fft&engine=abacus').engine).toBeNull();
    expect(readLink('?base=o/b@1&task=o/x').unknownSource).toBeNull();
  });

  it('leaves other parameters as they are, and links no files', () => {
    const usual: Recipe = { ...FULL, mergedDtype: null, valueDtype: 'F16', rescale: 'norm' };
    const recipe: Recipe = { ...usual, ...readLink(writeLink('', DEMO, usual)).recipe };
    const files: LinkedSource = { ...NOTHING, request: { kind: 'files', files: [] } };
    const query = new URLSearchParams(
      writeLink('?threads=1&demo=fft&base=o/b&task=o/t', files, recipe),
    );
    expect([...query.keys()]).toEqual(['threads', 'merge', 'lambda', 'm', 'scope']);
    expect(query.get('m')).toBe('7.5');
  });
});

describe('the link to repos', () => {
  const { cards } = groupOf(['o/one@1a', 'o/two/folder@2b']);
  const request = { kind: 'hub', repos: ['o/b', 'o/one', 'o/two/folder'] } as const;
  const hub: LinkedSource = { ...NOTHING, request, cards };

  it('reads the base first, and any number of tasks', () => {
    const { repos, hubUrl } = readLink('?base=o/b@refs/pr/7&task=o%2Fone&task=o/two@v1&task=');
    expect(repos).toEqual({ base: 'o/b@refs/pr/7', tasks: ['o/one', 'o/two@v1'] });
    expect(hubUrl).toBeNull();
    expect(readLink('?task=o/one').repos).toEqual({ base: null, tasks: ['o/one'] });
    expect(readLink('?base=&task=').repos).toBeNull();
  });

  it('is written with what was opened, commits and all, and reads back', () => {
    const search = writeLink('?demo=fft&base=o/old&threads=1', hub, FULL);
    expect(search).toMatch(/^\?base=base&task=o\/one@1a&task=o\/two\/folder@2b&threads=1&merge=/);
    expect(readLink(search)).toMatchObject({
      demo: null,
      repos: { base: 'base', tasks: ['o/one@1a', 'o/two/folder@2b'] },
      recipe: carried('full', FULL),
    });
    expect(writeLink(search, hub, FULL), 'writing twice changes nothing').toBe(search);
  });

  it('carries which tensors are merged, and forgets them with the repos', () => {
    const patterns = { include: ['vision_model.*', 'a+b?'], exclude: ['*.bias'] };
    const search = writeLink('?include=old&exclude=older', { ...hub, patterns }, FULL);
    expect(readLink(search).patterns).toEqual(patterns);
    expect(readLink('?include=a,b&include=c%0Ad').patterns.include).toEqual(['a', 'b', 'c', 'd']);
    expect(readLink(writeLink(search, DEMO, FULL)).patterns).toEqual(NO_PATTERNS);
  });

  it('carries no patterns for adapters, of which they say nothing', () => {
    const patterns = { include: ['vision_model.*'], exclude: ['*.bias'] };
    const search = writeLink('', { ...hub, kind: 'adapters', patterns }, FULL);
    expect(readLink(search).patterns).toEqual(NO_PATTERNS);
  });

  it('carries another Hub, by https or on this machine only', () => {
    const hubUrl = 'http://127.0.0.1:8080';
    const search = writeLink('', { ...hub, hubUrl }, FULL);
    expect(search).toContain(`&hub=${hubUrl}&`);
    expect(readLink(search).hubUrl).toBe(hubUrl);
    const read = (url: string) => readLink(`?hub=${encodeURIComponent(url)}`);
    expect(read('https://hub.example/mirror/').hubUrl).toBe('https://hub.example/mirror');
    expect(read('http://localhost:99').hubUrl).toBe('http://localhost:99');
    expect(read('https://huggingface.co/')).toMatchObject({ hubUrl: null, unknownSource: null });
    for (const url of [
      'http://hub.example',
      'http://127.0.0.1.hub.example',
      'http://localhost@hub.example',
      'https://me:secret@hub.example',
      'ftp://localhost',
      'javascript:alert(1)',
      'hub.example',
      '',
    ]) {
      expect(read(url), url).toMatchObject({ hubUrl: null, unknownSource: `hub=${url}` });
    }
  });
});

const FULL: Recipe = {
  mergeMethod: 'task-arithmetic',
  lambda: 0.3,
  keptPercent: 7.5,
  scope: 'tensor',
  compressors: SPARSE_METHODS,
  mergedDtype: 'BF16',
  valueDtype: 'I8',
  rescale: 'none',
  rank: { by: 'count', q: 8 },
  lora: DEFAULT_LORA,
};
