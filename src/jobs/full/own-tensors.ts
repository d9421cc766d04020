/** Tensors that a task keeps whole because they can not be merged. */
import { type OwnEntry } from '@/export/sparse/sparse-size';
import { baseView, taskView } from '@/plan/named-view';
import { plannedName, tiedNames } from '@/plan/tied-tensors';
import { type StoredTensor } from '@/tensor/checkpoint-tensors';
import { type FullGroup } from './load-full';

type PlannedGroup = Pick<FullGroup, 'plan' | 'stored'>;

/**
 * A task's own tensors, by the base's names, or those that they would have there: a file that calls
 * the model's parts otherwise must not bring names that nothing else of the export has.
 */
export function ownTensors(
  { plan, stored }: PlannedGroup,
  task: number,
): ReadonlyMap<string, StoredTensor> {
  const { tensors } = stored[task + 1]!;
  const own = plan.details.own[task]!;
  return new Map(own.map(({ name, baseName }) => [baseName, tensors.get(name)!] as const));
}

/** The same as they stand in the task's sparse file, with the copies that the base has of them. */
export function ownEntries(group: PlannedGroup, task: number): readonly OwnEntry[] {
  const copies = copiesInBase(group);
  return [...ownTensors(group, task)].map(([name, { dtype, shape }]) => {
    return { name, dtype, shape, copies: copies.get(name) ?? [] };
  });
}

/**
 * By the name of a tensor that is not merged, the base's other names for it: beside a grown
 * vocabulary, the base's head would be left in the place of the task's.
 */
function copiesInBase({ plan, stored }: PlannedGroup): ReadonlyMap<string, readonly string[]> {
  const copies = new Set(plan.details.copies[0]!.filter((name) => !plan.tied.has(name)));
  const [base, ...tasks] = stored;
  if (copies.size === 0 || base === undefined) return new Map();
  const view = baseView(base);
  const views = [view, ...tasks.map((task) => taskView(base, task))];
  // Whether heads are embeddings the plan has decided: only then they are among the copies.
  const groups = tiedNames(views, [{ tie_word_embeddings: true }]);
  return new Map(
    groups.map((group) => [plannedName(group, view), group.filter((name) => copies.has(name))]),
  );
}
