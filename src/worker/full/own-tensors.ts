/** Tensors that a task keeps whole because they can not be merged. */
import { type HeaderEntry } from '@/export/safetensors-writer';
import { type StoredTensor } from '@/tensor/checkpoint-tensors';
import { type FullGroup } from './load-full';

/**
 * A task's own tensors, by the base's names, or those that they would have there: a file that calls
 * the model's parts otherwise must not bring names that nothing else of the export has.
 */
export function ownTensors(
  { plan, stored }: Pick<FullGroup, 'plan' | 'stored'>,
  task: number,
): ReadonlyMap<string, StoredTensor> {
  const { tensors } = stored[task + 1]!;
  const own = plan.details.own[task]!;
  return new Map(own.map(({ name, baseName }) => [baseName, tensors.get(name)!] as const));
}

/** The same as they stand in the task's sparse file. */
export function ownEntries(
  group: Pick<FullGroup, 'plan' | 'stored'>,
  task: number,
): readonly HeaderEntry[] {
  return [...ownTensors(group, task)].map(([name, { dtype, shape }]) => ({ name, dtype, shape }));
}
