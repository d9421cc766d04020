/** The recipe: what the controls show (draft) and what is computed (committed). */
import { createStore } from 'zustand/vanilla';
import { MERGE_PARAMETERS } from '@/methods/parameters';
import { DEFAULT_LORA } from '@/recipe/lora-choices';
import { type RankChoice } from '@/methods/peru-lora';
import { type MergeMethod, SPARSE_METHODS } from '@/methods/registry';
import { type Recipe } from '@/recipe/recipe';
import { type FloatDtype } from '@/tensor/dtype';

export type { FloatDtype, MergeMethod, RankChoice, Recipe };

export interface RecipeState {
  /** Follows every movement of a control. */
  readonly draft: Recipe;
  /** The recipe of the results; follows the draft when a control is released. */
  readonly committed: Recipe;
  /** `group`: λ is the one recommended for the open group; `visitor`: chosen, by link or hand. */
  readonly lambdaFrom: 'group' | 'visitor';
}

export const DEFAULT_RECIPE: Recipe = {
  mergeMethod: 'task-arithmetic',
  lambda: MERGE_PARAMETERS.lambda.default,
  keptPercent: 10,
  scope: 'global',
  compressors: SPARSE_METHODS,
  mergedDtype: null,
  valueDtype: 'F16',
  rescale: 'norm',
  rank: { by: 'count', q: 8 },
  lora: DEFAULT_LORA,
};

export const recipeStore = createStore<RecipeState>(() => ({
  draft: DEFAULT_RECIPE,
  committed: DEFAULT_RECIPE,
  lambdaFrom: 'group',
}));
