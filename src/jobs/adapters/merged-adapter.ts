import { mergedProducts } from '@/formats/lora/merged-products';
import { MERGERS } from '@/methods/registry';
import { mergeKey } from '@/recipe/method-id';
import { type AdapterJob } from './adapter-group';

/**
 * Singular values below this share of the largest are what float32 factors leave as noise:
 * 16 units in the last place of a sum of as many terms as an adapter has triplets.
 */
const NOISE = 2 ** -20;

/** The merged adapter for the recipe, unless it stands already. */
export async function mergeAdapters({ group, recipe }: AdapterJob): Promise<void> {
  const key = mergeKey(recipe);
  if (group.merged?.key === key) return;
  group.merged?.lowRank.dispose();
  group.merged = null;
  const { mergeMethod, lambda } = recipe;
  const mergePlan = MERGERS[mergeMethod].plan(group.tasks.length, lambda);
  const products = mergedProducts(group.products.products, mergePlan);
  const lowRank = group.engine.createLowRankGroup(products);
  try {
    await lowRank.factorize();
  } catch (error) {
    lowRank.dispose();
    throw error;
  }
  const ranks = products.map((_, product) => numericalRank(lowRank.singularValues(product)));
  group.merged = { key, mergePlan, lowRank, ranks };
}

function numericalRank(values: Float32Array): number {
  const floor = NOISE * (values[0] ?? 0);
  let rank = 0;
  while (rank < values.length && values[rank]! > floor) rank += 1;
  return rank;
}
