import { describe, expect, it } from 'vitest';
import { PeruError } from '@/core/errors';
import { readMergeRecipe, readRecipeFile, readRecipeJson } from './read-recipe';
import { ADAPTER_RECIPE, SPARSE_RECIPE } from './recipe.fixture';

type Json = Record<string, unknown>;

/** The recipe with one field, named by its path, replaced or (undefined) removed. */
function changed(recipe: object, path: string, value: unknown): string {
  const copy = JSON.parse(JSON.stringify(recipe)) as Json;
  const keys = path.split('.');
  const last = keys.pop()!;
  const owner = keys.reduce<Json>((at, key) => at[key] as Json, copy);
  owner[last] = value;
  return JSON.stringify(copy);
}

function failure(read: () => unknown): PeruError {
  try {
    read();
  } catch (error) {
    if (error instanceof PeruError) return error;
    throw error;
  }
  throw new Error('It was read.');
}

describe('readRecipeFile', () => {
  it.each([SPARSE_RECIPE, ADAPTER_RECIPE])('gives back what was written: $title', (recipe) => {
    expect(readRecipeFile(JSON.stringify(recipe))).toEqual(recipe);
  });

  it('keeps nothing that it does not know', () => {
    const text = JSON.stringify({ ...SPARSE_RECIPE, extra: 1 }).replace(
      '{',
      '{"__proto__":{"x":1},',
    );
    const read = readRecipeFile(text);
    expect(read).toEqual(SPARSE_RECIPE);
    expect('x' in read).toBe(false);
  });

  it('is not overrun by what lies deep in a field that it does not know', () => {
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    const text = JSON.stringify(SPARSE_RECIPE).replace('{', `{"deep":${deep},`);
    expect(readRecipeFile(text)).toEqual(SPARSE_RECIPE);
    expect(readRecipeJson(JSON.parse(text))).toEqual(SPARSE_RECIPE);
  });

  it('reads every way to choose a rank, and one only', () => {
    for (const rank of [{ q: 4 }, { energy: 95 }, { bytes: 1000 }]) {
      const text = changed(ADAPTER_RECIPE, 'compress', { method: 'peru-lora', ...rank });
      expect(readRecipeFile(text).compress).toEqual({ method: 'peru-lora', ...rank });
    }
    for (const rank of [{}, { q: 4, energy: 95 }]) {
      const text = changed(ADAPTER_RECIPE, 'compress', { method: 'peru-lora', ...rank });
      expect(failure(() => readRecipeFile(text)).message).toContain('"compress"');
    }
  });

  it.each([
    ['title', undefined, '"title" is missing'],
    ['title', 7, '"title" is not a text'],
    ['group.kind', 'disk', 'none of demo, hub, files'],
    ['group.hub', 'javascript:alert(1)', 'not a web address'],
    ['merge', undefined, '"merge" is missing'],
    ['merge.lambda', undefined, '"merge.lambda" is missing'],
    ['merge.lambda', 2.5, 'outside 0 to 2'],
    ['merge.lambda', '0.3', 'is not a number'],
    ['merge.dtype', 'I8', 'none of F32, F16, BF16'],
    ['compress', undefined, '"compress" is missing'],
    ['compress.m', -1, 'outside 0 to 100'],
    ['compress.m', 100.1, 'outside 0 to 100'],
    ['compress.values', 'F64', 'none of F32, F16, BF16, I8'],
    ['compress.rescale', 'double', 'none of norm'],
    ['include', 'vision*', '"include" is not a list'],
    ['exclude', [7], '"exclude" holds something else'],
    ['base.files', undefined, '"base.files" is missing'],
    ['base.files.0', null, '"base.files[0]" is not an object'],
    ['base.repo', '../../etc', 'not a repo'],
    ['base.commit', 'main', 'not a commit'],
    ['base.files.0.path', '../secret', 'not a path inside'],
    ['base.files.0.path', 'a/./b', 'not a path inside'],
    ['base.files.0.path', '/etc/passwd', 'not a path inside'],
    ['base.files.0.bytes', 1.5, 'not a whole number'],
    ['base.files.0.bytes', -1, 'outside 0 to'],
    ['base.files.0.sha256', 'A'.repeat(64), 'not a SHA-256'],
    ['tasks', [], '"tasks" is empty'],
    ['tasks.1.task', 'cars', 'names a task twice'],
    ['tasks.1.task', ' ', 'not a name'],
    ['tasks', Array.from({ length: 10_001 }, () => 0), 'more than 10000'],
    ['title', 'x'.repeat(5000), 'longer than 4096'],
  ])('refuses %s of %j', (path, value, says) => {
    const error = failure(() => readRecipeFile(changed(SPARSE_RECIPE, path, value), 'r.json'));
    expect(error).toMatchObject({ kind: 'parse', hint: expect.stringMatching(/\.$/) as string });
    expect(error.message).toContain('r.json');
    expect(error.message).toContain(says);
  });

  it.each([
    ['nothing', '', 'not valid JSON'],
    ['half a file', JSON.stringify(SPARSE_RECIPE).slice(0, -20), 'not valid JSON'],
    ['a list', '[]', 'is not an object'],
    ['another JSON', '{"architectures":["CLIPModel"]}', 'no recipe of Peru'],
    ['a version that is none', '{"peru":0}', 'outside 1 to'],
    ['far too much', ' '.repeat(5_000_001), 'at most 5000000'],
  ])('refuses %s', (_, text, says) => {
    const error = failure(() => readRecipeFile(text));
    expect(error.kind).toBe('parse');
    expect(error.message).toContain(says);
  });

  it.each([
    ['peru', 2, 'newer Peru: its version is 2'],
    ['merge.method', 'ties', '"ties"'],
    ['compress.method', 'peru-9000', '"peru-9000"'],
  ])('says of %s = %j that this page is too old', (path, value, says) => {
    const error = failure(() => readRecipeFile(changed(SPARSE_RECIPE, path, value)));
    expect(error.kind).toBe('unsupported');
    expect(error.message).toContain(says);
  });
});

describe('readMergeRecipe', () => {
  it('reads the merge part, of a whole recipe too', () => {
    const merge = readMergeRecipe(JSON.stringify(SPARSE_RECIPE), 'x');
    expect({ ...merge, compress: SPARSE_RECIPE.compress }).toEqual(SPARSE_RECIPE);
    expect(merge).not.toHaveProperty('compress');
    expect(readMergeRecipe(JSON.stringify(merge), 'merged.safetensors')).toEqual(merge);
  });
});
