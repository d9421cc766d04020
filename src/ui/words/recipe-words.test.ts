import { describe, expect, it } from 'vitest';
import { DEFAULT_RECIPE } from '@/store/state/recipe';
import { recipeWords } from './recipe-words';

const plain = (words: string | null) => words?.replaceAll('\u00a0', ' ') ?? null;

describe('recipeWords', () => {
  it('names what differs, as the first of the two has it', () => {
    const other = { ...DEFAULT_RECIPE, keptPercent: 5, valueDtype: 'I8' } as const;
    expect(plain(recipeWords('full', DEFAULT_RECIPE, other))).toBe('m = 10 %, values in F16');
    expect(plain(recipeWords('full', other, DEFAULT_RECIPE))).toBe(
      'm = 5 %, values in I8, each tensor’s norm restored',
    );
    const plainly = { ...other, rescale: 'none' } as const;
    expect(plain(recipeWords('full', other, plainly))).toBe('each tensor’s norm restored');
    expect(plain(recipeWords('full', DEFAULT_RECIPE, { ...DEFAULT_RECIPE, rescale: 'none' }))).toBe(
      null,
    );
    const average = { ...DEFAULT_RECIPE, mergeMethod: 'simple-average' } as const;
    expect(plain(recipeWords('full', average, DEFAULT_RECIPE))).toBe('simple average');
  });

  it('says nothing of what a kind of group does not use', () => {
    const other = { ...DEFAULT_RECIPE, keptPercent: 5, mergedDtype: 'F32' } as const;
    expect(recipeWords('adapters', DEFAULT_RECIPE, other)).toBeNull();
    const ranks = { ...DEFAULT_RECIPE, rank: { by: 'energy', percent: 95 } } as const;
    expect(plain(recipeWords('adapters', ranks, DEFAULT_RECIPE))).toBe('95 % of the energy');
    expect(recipeWords('full', ranks, DEFAULT_RECIPE)).toBeNull();
  });
});
