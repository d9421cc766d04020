import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import { type PackedFormat } from '@/codecs/packed/packed-format';
import { licenceOf } from '@/formats/checkpoint/model-card';
import { readRecipeFile } from '@/recipe/read-recipe';
import { ADAPTER_RECIPE, SPARSE_RECIPE } from '@/recipe/recipe.fixture';
import { type RecipeFile } from '@/recipe/recipe-file';
import { type CardFacts } from './card-facts';
import { ADAPTER_LOADER, PACKED_LOADER, SPARSE_LOADER } from './loader-code';
import { modelCard } from './model-card';

const HASH = 'e'.repeat(64);

const SPARSE: CardFacts = {
  recipe: SPARSE_RECIPE,
  method: 'peru-fft@10',
  licences: ['apache-2.0', 'Apache-2.0', 'apache-2.0'],
  stems: ['cars', 'Ziffern-ÄÖ'],
  link: 'https://peru.test/?base=a@b&m=10',
  files: [
    { path: 'merged.safetensors', bytes: 605_000_123, sha256: HASH },
    { path: 'results.json', bytes: 999, sha256: 'f'.repeat(64) },
  ],
  index: [{ task: 'cars', kept: 1000, gapBytes: 1250, entropyBytes: 1000 }],
  results: {
    adapter: { vendor: 'v', architecture: 'a', description: 'Some GPU', fallback: false },
    engine: 'webgpu',
    tasks: [
      // Newcombe (1998), table I, method 3: 81 of 263 is 0.2553 to 0.3662.
      { name: 'cars', metric: 'accuracy', n: 263, scores: { merged: 81 / 263, 'peru-fft@10': 1 } },
      { name: 'Ziffern/ÄÖ', metric: 'spearman', n: 512, scores: { merged: -0.25 } },
    ],
    average: { merged: 0.029 },
    storage: [{ method: 'peru-fft@10', files: [{ name: 'x', bytes: 1 }], bytes: 1_234_567 }],
  },
};

/** With packed values, `rescale` as a recipe has it. */
function packed(values: PackedFormat, rescale?: 'norm'): CardFacts {
  const compress = { method: 'peru-fft', m: 10, scope: 'global', values } as const;
  const rescaled = rescale === undefined ? compress : { ...compress, rescale };
  return { ...SPARSE, recipe: { ...SPARSE_RECIPE, compress: rescaled } };
}

const ADAPTERS: CardFacts = {
  ...SPARSE,
  recipe: ADAPTER_RECIPE,
  method: 'peru-lora@8',
  licences: [null, null],
  stems: ['a'],
  index: [],
  results: { ...SPARSE.results, tasks: [], storage: [] },
};

function frontMatter(card: string): Record<string, unknown> {
  const [, text = ''] = /^---\n([^]*?)\n---\n/.exec(card) ?? [];
  return parse(text, { version: '1.1' }) as Record<string, unknown>;
}

/** Cells of the rows under a heading, the header and rule left out. */
function rows(card: string, heading: string): string[][] {
  const section = card.split(`\n## ${heading}\n`)[1]!.split('\n## ')[0]!;
  const lines = section.split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) => line.slice(2, -2).split(' | '));
}

describe('modelCard', () => {
  it('tells the Hub what it is made of', () => {
    expect(frontMatter(modelCard(SPARSE))).toEqual({
      license: 'apache-2.0',
      library_name: 'transformers',
      base_model: ['openai/clip', 'someone/clip-cars', 'someone/clip-digits'],
      base_model_relation: 'merge',
      tags: ['merge', 'peru', 'peru-fft', 'safetensors'],
    });
    expect(frontMatter(modelCard(ADAPTERS))).toEqual({
      library_name: 'peft',
      tags: ['merge', 'peru', 'peru-lora', 'safetensors', 'lora'],
    });
  });

  it.each([
    [['mit', 'apache-2.0', 'mit'], { license: 'other', license_name: 'mit-and-apache-2.0' }],
    [['my-own', 'my-own', 'my-own'], { license: 'other', license_name: 'my-own' }],
    [['mit', null, 'mit'], {}],
    [['mit', 'unknown', 'mit'], {}],
  ])('names the licence of %j', (licences, expected) => {
    const card = modelCard({ ...SPARSE, licences });
    const { license, license_name, license_link } = frontMatter(card);
    expect(license).toBe('license' in expected ? expected.license : undefined);
    expect(license_name).toBe('license_name' in expected ? expected.license_name : undefined);
    expect(license_link === undefined).toBe(license === undefined);
    expect(licenceOf(card)).toBe(license_name ?? license ?? null);
    expect(card).toMatch(/## Licence\n\n.*Look at the licences of the sources/);
  });

  it('gives every accuracy its n and its 95 % interval', () => {
    const [cars, digits, average] = rows(modelCard(SPARSE), 'Accuracy');
    expect(cars).toEqual(['cars', '263', '30.8 (25.5 to 36.6)', '100.0 (98.6 to 100.0)']);
    expect(digits![2]).toMatch(/^ρ -25\.0 \(-33\.\d to -16\.\d\)$/);
    expect(digits![3]).toBe('');
    expect(average).toEqual(['Average', '', '2.9', '']);
    expect(modelCard(ADAPTERS)).toContain('## Accuracy\n\nNot measured');
  });

  it('tells bytes, and what positions cost against the bound', () => {
    const card = modelCard(SPARSE);
    expect(rows(card, 'Bytes')).toContainEqual(['cars', '1,000', '1,250', '1,000', '25.0 %']);
    expect(rows(card, 'Bytes')[0]).toEqual(['**PERU-FFT, m = 10 %**', '1', '1,234,567']);
    expect(rows(card, 'Files')).toEqual([['merged.safetensors', '605,000,123', `\`${HASH}\``]]);
    expect(rows(card, 'Sources')).toHaveLength(3);
    expect(rows(card, 'Sources')[1]!.join()).toContain(
      'https://hub.test/someone/clip-cars/tree/ccc',
    );
  });

  it('holds a recipe that can be read, the method and what computed it', () => {
    for (const facts of [SPARSE, ADAPTERS]) {
      const card = modelCard(facts);
      expect(readRecipeFile(/```json\n([^]*?)```/.exec(card)![1]!)).toEqual(facts.recipe);
      expect(card).toContain('with WebGPU on Some GPU, v, a.');
    }
    expect(modelCard(SPARSE)).toContain('θ\\* = θ₀ + λ Σₜ (θₜ − θ₀), with λ = 0.3');
    expect(modelCard(SPARSE)).toContain('keeps the 10 % largest by magnitude among all entries');
    expect(modelCard(ADAPTERS)).toContain('with q = 8');
    const reference = { ...SPARSE.results, engine: 'processor' as const };
    expect(modelCard({ ...SPARSE, results: reference })).toContain('without WebGPU');
  });

  it('names the factor that the paper has not, where values are rescaled', () => {
    const compress = { ...SPARSE_RECIPE.compress, values: 'I8', rescale: 'norm' } as const;
    const recipe = { ...SPARSE_RECIPE, compress } as RecipeFile;
    expect(modelCard({ ...SPARSE, recipe })).toMatch(/\*\*rescaled\*\*.*the paper does not/);
    expect(modelCard(SPARSE)).not.toContain('rescaled');
  });

  it('names the factor that packed values have, rescaled or not', () => {
    expect(modelCard(packed('Q2', 'norm'))).toMatch(
      /\*\*rescaled\*\*.*as long as all of uₜ.*the paper does not/,
    );
    expect(modelCard(packed('Q2'))).toContain('as long as the kept ones were.');
    for (const card of [modelCard(packed('Q2', 'norm')), modelCard(packed('Q2'))]) {
      expect(card).not.toContain('the step of each tensor');
    }
    expect(modelCard(packed('Q2'))).not.toContain('rescaled');
  });

  it('tells what the table of positions leaves out of packed files', () => {
    expect(modelCard(packed('Q1'))).toContain('a directory of the blocks comes on top');
    expect(modelCard(SPARSE)).not.toContain('a directory of the blocks comes on top');
    expect(modelCard({ ...packed('Q1'), index: [] })).not.toContain(
      'a directory of the blocks comes on top',
    );
  });

  it.each([
    ['value by value', SPARSE, SPARSE_LOADER, 20],
    ['packed', packed('Q2', 'norm'), PACKED_LOADER, 60],
    ['of adapters', ADAPTERS, ADAPTER_LOADER, 20],
  ] as const)('shows a loader of few lines: %s', (_, facts, loader, most) => {
    const lines = loader.trimEnd().split('\n');
    expect(lines.length).toBeLessThanOrEqual(most);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(110);
    expect(modelCard(facts)).toContain(`\`\`\`python\n${loader}\`\`\``);
    expect(modelCard(facts).match(/^def load_task/gm)).toHaveLength(1);
  });

  it('loads a task into the model, and names what that needs', () => {
    expect(modelCard(SPARSE)).toContain(
      'from_pretrained(None, config=config, state_dict=load_task("cars"))',
    );
    expect(modelCard(ADAPTERS)).toContain('load_task("a", "t5")');
    expect(modelCard(SPARSE)).toContain('the first needs torch and safetensors only');
    expect(modelCard(packed('Q2'))).toContain('the first needs NumPy, torch and safetensors only');
  });

  it('depends on nothing but its facts', () => {
    const other = {
      ...SPARSE,
      files: SPARSE.files.map((file) =>
        file.path === 'results.json' ? { ...file, bytes: 1, sha256: '0'.repeat(64) } : file,
      ),
      results: { ...SPARSE.results, seconds: { merge: 3 }, memory: null },
    };
    expect(modelCard(other)).toBe(modelCard(SPARSE));
  });

  it('keeps whatever a name holds in its place', () => {
    const evil =
      '</td>|\n## Hi\n```js\n![x](http://e.test/?a) [y](z) *b* <img src=x> `c` & www.e.test';
    const [task] = ADAPTER_RECIPE.tasks;
    const recipe: RecipeFile = {
      ...ADAPTER_RECIPE,
      title: evil,
      base: { ...ADAPTER_RECIPE.base, name: evil },
      tasks: [{ ...task!, task: evil, name: evil, files: [{ ...task!.files[0]!, path: evil }] }],
    };
    const card = modelCard({ ...ADAPTERS, recipe, stems: [evil] });
    // The code blocks hold names as JSON; outside of them nothing may begin.
    const prose = card.replace(/^(`{3,})\w+\n[^]*?\1$/gm, '');
    expect(prose).not.toContain('## Hi\n');
    expect(prose).not.toMatch(/<img|<\/td>|[^\\]`c|http:\/\/e\.test|www\.e|!\[x\]\(|[^\\]\[y\]/);
    expect(prose.match(/^## .*/gm)).toEqual(modelCard(ADAPTERS).match(/^## .*/gm));
    expect(readRecipeFile(/^(`{3,})json\n([^]*?)\1$/m.exec(card)![2]!).title).toBe(evil);
    const sourceRows = card.split('\n## Sources\n')[1]!.split('\n## ')[0]!.split('\n');
    for (const line of sourceRows.filter((one) => one.startsWith('|'))) {
      expect(line.match(/(?<!\\)\|/g)).toHaveLength(6);
    }
  });

  it('takes only addresses of the web for links', () => {
    const card = modelCard({ ...SPARSE, link: 'javascript:alert(1)' });
    expect(card).not.toContain('javascript:');
    const odd = modelCard({ ...SPARSE, link: 'https://p.test/?a=(b)|<c>' });
    expect(odd).toContain('(https://p.test/?a=%28b%29%7C%3Cc%3E)');
  });
});
