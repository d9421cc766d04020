import { describe, expect, it } from 'vitest';
import { readMergeRecipe, readRecipeFile } from './read-recipe';
import { ADAPTER_RECIPE, SPARSE_RECIPE } from './recipe.fixture';
import { mergeRecipeJson, recipeFileText, recipeJson } from './recipe-json';

/** The same value with the keys of every object turned round. */
function reversed<T>(value: T): T {
  if (Array.isArray(value)) return value.map((item: unknown) => reversed(item)) as T;
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => [key, reversed(item) as unknown]);
  return Object.fromEntries(entries.reverse()) as T;
}

describe('recipe.json', () => {
  it.each([SPARSE_RECIPE, ADAPTER_RECIPE])('is read again as it was: $title', (recipe) => {
    expect(readRecipeFile(recipeJson(recipe))).toEqual(recipe);
    expect(readRecipeFile(recipeFileText(recipe))).toEqual(recipe);
    const merge = readMergeRecipe(mergeRecipeJson(recipe), 'x');
    expect({ ...merge, compress: recipe.compress }).toEqual(recipe);
    expect(merge).not.toHaveProperty('compress');
  });

  it.each([SPARSE_RECIPE, ADAPTER_RECIPE])('has the same bytes however built: $title', (recipe) => {
    const other = reversed(recipe);
    expect(JSON.stringify(other)).not.toBe(JSON.stringify(recipe));
    expect(recipeJson(other)).toBe(recipeJson(recipe));
    expect(mergeRecipeJson(other)).toBe(mergeRecipeJson(recipe));
    expect(recipeFileText(other)).toBe(recipeFileText(recipe));
  });

  it('leaves m out of the merge part', () => {
    const other = { ...SPARSE_RECIPE, compress: ADAPTER_RECIPE.compress };
    expect(mergeRecipeJson(other)).toBe(mergeRecipeJson(SPARSE_RECIPE));
    expect(recipeJson(other)).not.toBe(recipeJson(SPARSE_RECIPE));
  });

  it('is one line in metadata, and people can read the file', () => {
    expect(recipeJson(SPARSE_RECIPE)).not.toContain('\n');
    expect(recipeFileText(SPARSE_RECIPE)).toMatch(/^\{\n {2}"peru": 1,\n[^]*\n\}\n$/);
  });

  it('has no key for patterns where there are none', () => {
    const bare = { ...SPARSE_RECIPE, include: [], exclude: [] };
    expect(recipeJson(bare)).not.toMatch(/include|exclude/);
  });
});
