import { MERGERS } from '@/methods/registry';
import { bytesPerElement, type FloatDtype } from '@/tensor/dtype';
import { PeruError } from '@/core/errors';
import { mergeKey } from '@/recipe/method-id';
import { mergedDtypeOf } from './files-written';
import { type FullJob } from './full-job';
import { type FullGroup } from './load-full';

/**
 * theta* for the recipe, unless it stands already.
 *
 * @throws PeruError `out-of-memory` where its dtype takes more than was planned and there is
 */
export async function mergeGroup({ group, recipe, emit }: FullJob): Promise<void> {
  const key = mergeKey(recipe);
  if (group.mergedKey === key) return;
  emit({
    type: 'progress',
    progress: { stage: 'Merging', done: 0, total: group.tasks.length, unit: 'tasks' },
  });
  // Until the merge has ended, theta* belongs to no recipe.
  group.mergedKey = null;
  const { mergeMethod, lambda } = recipe;
  const plan = MERGERS[mergeMethod].plan(group.tasks.length, lambda);
  const dtype = mergedDtypeOf(group, recipe);
  refuseWiderMerge(group, dtype);
  group.progress?.begin('Merging');
  try {
    await group.weights.merge(plan, dtype);
  } finally {
    group.progress?.end();
  }
  group.mergedKey = key;
}

/** The plan counts theta* in the base's dtype: a wider one must fit the budget too. */
function refuseWiderMerge({ memory, mergedDtype, plan }: FullGroup, dtype: FloatDtype): void {
  const more = bytesPerElement(dtype) - bytesPerElement(mergedDtype);
  const neededBytes = memory.peakBytes + Math.max(0, more) * plan.layout.elementCount;
  if (neededBytes <= memory.budgetBytes) return;
  throw new PeruError(
    'out-of-memory',
    `Merging to ${dtype} needs ${Math.ceil(neededBytes / 1e6)} MB; the memory budget is ${Math.floor(memory.budgetBytes / 1e6)} MB.`,
    `Choose ${mergedDtype} as the dtype of the merged model, or open the files again with a larger memory budget.`,
  );
}
