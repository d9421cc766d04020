/** What the recipe's controls do. */
import { type Goal } from '@/protocol/goal';
import { type Recipe } from '@/recipe/recipe';
import { runRecipe } from './job';
import { commitDraft, editDraft, revertDraft } from '@/store/recipe/edits';

/** A control moves: counts and kept energy follow at once, nothing is computed. */
export function previewRecipe(change: Partial<Recipe>): void {
  editDraft(change);
}

/** A control was left without a value: the preview ends, nothing is computed. */
export function revertPreview(name: 'lambda' | 'keptPercent' | 'rank' | 'lora'): void {
  revertDraft(name);
}

/** The worker looks for m and the format of values that reach a goal, and computes them. */
export function seekGoal(goal: Goal): void {
  commitDraft();
  void runRecipe(goal);
}

/** A control was released: the worker computes the draft, dropping whatever it was doing. */
export function commitRecipe(change: Partial<Recipe> = {}): void {
  editDraft(change);
  if (commitDraft()) void runRecipe();
}
