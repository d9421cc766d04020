/** How a recipe's kept values are stored, beside their dtype. */
import { hasFactor } from '@/codecs/value-formats';
import { type Recipe } from './recipe';
import { type SparseRecipe } from './recipe-file';

/** `norm`: a tensor's kept values are made as long as all of u; `none`: they are as they were. */
export const RESCALES = ['norm', 'none'] as const;

export type Rescale = (typeof RESCALES)[number];

/** Only values with a factor are made longer: it takes no byte more, and others stand for themselves. */
export function isRescaled({
  valueDtype,
  rescale,
}: Pick<Recipe, 'valueDtype' | 'rescale'>): boolean {
  return rescale === 'norm' && hasFactor(valueDtype);
}

/** What a recipe file says of it; nothing where its values know no other way. */
export function rescaleOfRecord({
  values,
  rescale,
}: Pick<SparseRecipe, 'values' | 'rescale'>): Partial<Pick<Recipe, 'rescale'>> {
  return hasFactor(values) ? { rescale: rescale ?? 'none' } : {};
}

/** Equal for two recipes exactly when they store the same values alike. */
export function storedValuesKey(recipe: Pick<Recipe, 'valueDtype' | 'rescale'>): string {
  return isRescaled(recipe) ? `${recipe.valueDtype} rescaled` : recipe.valueDtype;
}
