import { expect, test } from 'vitest';
import { readRecipeFile } from './read-recipe';
import { recipeFileText } from './recipe-json';
import { SPARSE_RECIPE } from './recipe.fixture';
import { isRescaled, rescaleOfRecord, storedValuesKey } from './stored-values';

test('only values in steps are rescaled, and only by a rule', () => {
  expect(isRescaled({ valueDtype: 'I8', rescale: 'norm' })).toBe(true);
  expect(isRescaled({ valueDtype: 'I8', rescale: 'none' })).toBe(false);
  expect(isRescaled({ valueDtype: 'F16', rescale: 'norm' })).toBe(false);
});

test('other values have one key, whatever the rule', () => {
  const key = (valueDtype: 'F16' | 'I8', rescale: 'norm' | 'none') =>
    storedValuesKey({ valueDtype, rescale });
  expect(key('F16', 'norm')).toBe(key('F16', 'none'));
  expect(key('I8', 'norm')).not.toBe(key('I8', 'none'));
});

test('a recipe of before there was a choice has values as they were kept', () => {
  expect(rescaleOfRecord({ values: 'I8' })).toEqual({ rescale: 'none' });
  expect(rescaleOfRecord({ values: 'I8', rescale: 'norm' })).toEqual({ rescale: 'norm' });
  expect(rescaleOfRecord({ values: 'F16' })).toEqual({});
});

test('the file says it, and is read as it was written', () => {
  const compress = { ...SPARSE_RECIPE.compress, values: 'I8', rescale: 'norm' } as const;
  const recipe = { ...SPARSE_RECIPE, compress } as typeof SPARSE_RECIPE;
  const text = recipeFileText(recipe);
  expect(text).toContain('"rescale": "norm"');
  expect(readRecipeFile(text)).toEqual(recipe);
  expect(recipeFileText(SPARSE_RECIPE)).not.toContain('rescale');
});
