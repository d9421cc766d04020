import { describe, expect, it } from 'vitest';
import { mergekitYaml } from '@/recipe/mergekit/mergekit';
import { recipeFileText } from '@/recipe/recipe-json';
import { type FileRecord, type RecipeFile, type SourceRecord } from '@/recipe/recipe-file';
import { mergekitOpening, readRecipeFile, recipeOpening } from './recipe-opening';

const COMMIT = '0123456789abcdef0123456789abcdef01234567';
const file = (path: string): FileRecord => ({ path, bytes: 5, sha256: 'ab'.repeat(32) });

const HUB: RecipeFile = {
  peru: 1,
  title: 'CLIP',
  group: { kind: 'hub', hub: 'https://hub.example', preset: 'clip-vit-base-patch32' },
  merge: { method: 'task-arithmetic', lambda: 0.3, dtype: 'BF16' },
  include: ['vision_model.*'],
  compress: { method: 'peru-fft', m: 5, scope: 'tensor', values: 'I8' },
  base: { name: 'b', repo: 'o/b', commit: COMMIT, files: [file('model.safetensors')] },
  tasks: [
    { task: 'a', name: 'a', repo: 'o/a', commit: COMMIT, folder: 'x/y', files: [file('m')] },
    { task: 'c', name: 'c', repo: 'o/c', commit: COMMIT, files: [file('m')] },
  ],
};

describe('recipeOpening', () => {
  it('opens repos at their commits, with the recipe’s settings', () => {
    const recipe = readRecipeFile(recipeFileText(HUB));
    expect(recipeOpening(recipe)).toEqual({
      request: {
        kind: 'hub',
        repos: [`o/b@${COMMIT}`, `o/a/x/y@${COMMIT}`, `o/c@${COMMIT}`],
        base: `o/b@${COMMIT}`,
        hubUrl: 'https://hub.example',
        preset: 'clip-vit-base-patch32',
        recipe,
      },
      recipe: {
        mergeMethod: 'task-arithmetic',
        lambda: 0.3,
        mergedDtype: 'BF16',
        keptPercent: 5,
        scope: 'tensor',
        valueDtype: 'I8',
        // Written before there was a choice.
        rescale: 'none',
      },
      patterns: { include: ['vision_model.*'], exclude: [] },
    });
  });

  it('names files that their folders are not known by, and an export by its folder', () => {
    const at = (name: string, ...paths: string[]) => {
      return { name, repo: 'o/all', commit: COMMIT, folder: 'f', files: paths.map(file) };
    };
    const reposOf = (base: SourceRecord, task: SourceRecord) => {
      const recipe = { ...HUB, base, tasks: [{ ...task, task: 't' }] };
      return recipeOpening(recipe).request as { readonly repos?: readonly string[] };
    };
    expect(reposOf(at('b', 'model.safetensors'), at('t', 'tuned.safetensors')).repos).toEqual([
      `o/all/f@${COMMIT}`,
      `o/all/f/tuned.safetensors@${COMMIT}`,
    ]);
    const merged = at('merged', 'model.safetensors.index.json', 'merged.safetensors');
    expect(reposOf(merged, at('t', 't.sparse.safetensors')).repos).toEqual([`o/all/f@${COMMIT}`]);
  });

  it.each([
    [{ q: 4 }, { by: 'count', q: 4 }],
    [{ energy: 95 }, { by: 'energy', percent: 95 }],
    [{ bytes: 5000 }, { by: 'bytes', budget: 5000 }],
  ] as const)('opens a demo with ranks by %o', (ranks, rank) => {
    const recipe: RecipeFile = {
      ...HUB,
      group: { kind: 'demo', demo: 'lora' },
      merge: { method: 'simple-average', dtype: 'F32' },
      compress: { method: 'peru-lora', ...ranks },
    };
    expect(recipeOpening(recipe)).toMatchObject({
      request: { kind: 'demo', demo: 'lora', recipe },
      recipe: { mergeMethod: 'simple-average', mergedDtype: 'F32', rank },
    });
    expect(recipeOpening(recipe).recipe).not.toHaveProperty('lambda');
  });

  it.each([
    ['files of a disk', { group: { kind: 'files' } }],
    ['a source that has no repo', { base: { name: 'b', files: [file('model.safetensors')] } }],
  ] as const)('names what to add for %s', (_, more) => {
    expect(() => recipeOpening({ ...HUB, ...more })).toThrow(
      expect.objectContaining({
        kind: 'source',
        message: expect.stringContaining('b, a, c') as string,
        hint: expect.stringContaining(
          `b: model.safetensors (SHA-256 ${'ab'.repeat(32)})`,
        ) as string,
      }) as Error,
    );
  });
});

const linear = (model: string): string => {
  const models = [model, 'o/c'].map((one) => `  - {model: ${one}, parameters: {weight: 1}}\n`);
  return `merge_method: linear\nmodels:\n${models.join('')}`;
};

describe('mergekitOpening', () => {
  it('opens what Peru’s own configuration names', async () => {
    const plain = { ...HUB, tasks: HUB.tasks.filter(({ folder }) => folder === undefined) };
    const opening = await mergekitOpening(mergekitYaml(plain), 'mergekit.yml');
    expect(opening).toMatchObject({
      request: { kind: 'hub', repos: [`o/b@${COMMIT}`, `o/c@${COMMIT}`], base: `o/b@${COMMIT}` },
      recipe: { mergeMethod: 'task-arithmetic', lambda: 0.3, mergedDtype: 'BF16' },
    });
  });

  it('leaves the base open where the file names none', async () => {
    const yaml = `${linear('o/a')}dtype: float16\n`;
    const { request, recipe, notSaid } = await mergekitOpening(yaml, 'x.yml');
    expect(request).toEqual({ kind: 'hub', repos: ['o/a', 'o/c'] });
    expect(recipe).toEqual({ mergeMethod: 'simple-average', mergedDtype: 'F16' });
    expect(notSaid.length).toBeGreaterThan(0);
  });

  it.each(['./models/a', '/data/a', 'a'])('says what to do about the path %s', async (path) => {
    const yaml = linear(path);
    await expect(mergekitOpening(yaml, 'x.yml')).rejects.toMatchObject({
      kind: 'source',
      message: expect.stringContaining(path) as string,
    });
  });
});
