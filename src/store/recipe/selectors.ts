import { mergeKey } from '@/recipe/method-id';
import { type Recipe, type RecipeState } from '@/store/state/recipe';

export function selectDraft(state: RecipeState): Recipe {
  return state.draft;
}

export function selectCommitted(state: RecipeState): Recipe {
  return state.committed;
}

/** Whether the histograms of the committed recipe hold for the draft: only m has moved. */
export function selectMergeMoves(state: RecipeState): boolean {
  return mergeKey(state.draft) !== mergeKey(state.committed);
}
