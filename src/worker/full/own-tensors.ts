/** Tensors that a task keeps whole because they can not be merged. */
import { type StoredTensor } from '@/tensor/checkpoint-tensors';
import { type FullGroup } from './load-full';

/** A task's own tensors, by the names they have in its file. */
export function ownTensors(
  { plan, stored }: Pick<FullGroup, 'plan' | 'stored'>,
  task: number,
): ReadonlyMap<string, StoredTensor> {
  const { tensors } = stored[task + 1]!;
  return new Map(plan.own[task]!.map((name) => [name, tensors.get(name)!] as const));
}
