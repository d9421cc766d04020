import { mergeKey } from '@/worker/method-id';
import { type Recipe, type RecipeState } from './state';

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
