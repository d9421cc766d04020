import { MERGERS, SPARSE_COMPRESSORS, type SparseMethod } from '@/methods/registry';
import { type RankChoice } from '@/methods/peru-lora';
import { type MethodId, type Recipe } from './recipe';
import { storedValuesKey } from './stored-values';

/** METHOD of results.json for a sparse method at m percent, e.g. `peru-fft@0.5`. */
export function sparseMethodId(method: SparseMethod, keptPercent: number): MethodId {
  return `${method}@${keptPercent}`;
}

/** METHOD of results.json for PERU-LoRA: `peru-lora@8`, `peru-lora@energy=95`, … */
export function lowRankMethodId(choice: RankChoice): MethodId {
  switch (choice.by) {
    case 'count':
      return `peru-lora@${choice.q}`;
    case 'energy':
      return `peru-lora@energy=${choice.percent}`;
    case 'fro':
      return `peru-lora@fro=${choice.share}`;
    case 'ratio':
      return `peru-lora@ratio=${choice.ratio}`;
    case 'bytes':
      return `peru-lora@bytes=${choice.budget}`;
  }
}

/** Equal for two recipes exactly when they give the same theta*. */
export function mergeKey(recipe: Pick<Recipe, 'mergeMethod' | 'lambda' | 'mergedDtype'>): string {
  const { mergeMethod, mergedDtype } = recipe;
  const settings = MERGERS[mergeMethod].parameters.map((key) => `@${recipe[key]}`);
  const merge = [mergeMethod, ...settings].join('');
  return mergedDtype === null ? merge : `${merge} as ${mergedDtype}`;
}

/** Equal for two sparse results exactly when they add the same values around the same center. */
export function sparseKey(method: SparseMethod, keptPercent: number, recipe: Recipe): string {
  const { dependsOn } = SPARSE_COMPRESSORS[method];
  const around = dependsOn.includes('merge') ? mergeKey(recipe) : 'base';
  return `${sparseMethodId(method, keptPercent)}|${storedValuesKey(recipe)}|${recipe.scope}|${around}`;
}
