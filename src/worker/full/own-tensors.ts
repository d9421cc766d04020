/** Tensors that a task keeps whole because they can not be merged. */
import { type StoredTensor } from '@/tensor/checkpoint-tensors';
import { type ModelWeights } from '@/tensor/engine';
import { floatWeights } from '@/worker/float-weights';
import { type FullJob } from './full-job';
import { type FullGroup } from './load-full';

/** A task's own tensors, by the names they have in its file. */
export function ownTensors(
  { plan, stored }: Pick<FullGroup, 'plan' | 'stored'>,
  task: number,
): ReadonlyMap<string, StoredTensor> {
  const { tensors } = stored[task + 1]!;
  return new Map(plan.own[task]!.map((name) => [name, tensors.get(name)!] as const));
}

/** A task's model with its own tensors in place of the base's; takes the weights over. */
export async function withOwnTensors(
  { group, emit, signal }: FullJob,
  task: number,
  weights: ModelWeights,
  location: 'cpu' | 'gpu',
): Promise<ModelWeights> {
  const tensors = ownTensors(group, task);
  if (tensors.size === 0) return weights;
  const { name } = group.stored[task + 1]!;
  // Whoever goes on with NaN in merged weights has been asked; heads are the task's own affair.
  const options = { allowNonFinite: true, emit, signal };
  const own = await floatWeights(group.engine, { name, tensors, byteLength: 0 }, location, options);
  return {
    tensors: new Map([...weights.tensors, ...own.tensors]),
    dispose: () => {
      own.dispose();
      weights.dispose();
    },
  };
}
