import { type ModelWeights } from '@/tensor/engine';
import { type AddedProduct, type LowRankGroup } from '@/tensor/low-rank';

/** A product of a group and the weight it is added to. */
export interface AdaptedWeight {
  readonly name: string;
  readonly product: number;
  readonly form: AddedProduct;
}

/**
 * A model with products added: only the adapted weights are new, everything else is the base's own
 * or a copy's. Takes the copies over; disposing gives back what is new and leaves the base.
 */
export async function adaptedWeights(
  base: ModelWeights,
  copies: ModelWeights,
  lowRank: LowRankGroup,
  adapted: readonly AdaptedWeight[],
  location: 'cpu' | 'gpu',
): Promise<ModelWeights> {
  const tensors = new Map([...base.tensors, ...copies.tensors]);
  const additions = adapted.map(({ name, product, form }) => {
    return { product, form, base: weight(tensors, name).data };
  });
  const added = await lowRank.add(additions, location);
  for (const [index, { name }] of adapted.entries()) {
    tensors.set(name, { shape: weight(tensors, name).shape, data: added.data[index]! });
  }
  return {
    tensors,
    dispose: () => {
      added.dispose();
      copies.dispose();
    },
  };
}

function weight(tensors: ModelWeights['tensors'], name: string) {
  const found = tensors.get(name);
  if (found === undefined) throw new RangeError(`The base has no weight "${name}".`);
  return found;
}
