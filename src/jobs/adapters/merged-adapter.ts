import { mergedProducts } from '@/formats/lora/merged-products';
import { MERGERS } from '@/methods/registry';
import { mergeKey } from '@/recipe/method-id';
import { type AdapterJob } from './adapter-group';
import { productBytes } from './adapter-memory';

/**
 * Singular values below this share of the largest are what float32 factors leave as noise:
 * 16 units in the last place of a sum of as many terms as an adapter has triplets.
 */
const NOISE = 2 ** -20;

/**
 * The merged adapter for the recipe, unless it stands already or did so lately. The tasks' own
 * factorisations do not depend on the recipe and stay.
 */
export async function mergeAdapters({ group, recipe }: AdapterJob): Promise<void> {
  const key = mergeKey(recipe);
  if (group.merged?.key === key) return;
  group.merged = group.mergedLately.get(key);
  if (group.merged !== null) return;
  const { mergeMethod, lambda } = recipe;
  const mergePlan = MERGERS[mergeMethod].plan(group.tasks.length, lambda);
  const products = mergedProducts(group.products.products, mergePlan);
  group.mergedLately.makeRoom();
  const lowRank = group.engine.createLowRankGroup(products);
  try {
    await lowRank.factorize();
  } catch (error) {
    lowRank.dispose();
    throw error;
  }
  const ranks = products.map((_, product) => numericalRank(lowRank.singularValues(product)));
  group.merged = { key, mergePlan, lowRank, ranks };
  group.mergedLately.add(group.merged, productBytes(products));
}

function numericalRank(values: Float32Array): number {
  const floor = NOISE * (values[0] ?? 0);
  let rank = 0;
  while (rank < values.length && values[rank]! > floor) rank += 1;
  return rank;
}
