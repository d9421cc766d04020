/** Which of the base's tensors a group's models may have otherwise. */
import { type GroupPlan } from '@/plan/plan-group';
import { type CheckpointTensors } from '@/tensor/checkpoint-tensors';

/**
 * Names of the base for which some task has a tensor: merged, kept whole, or left as the base has
 * it in the merged model and the task's own in its fine-tuned one.
 *
 * @param checkpoints the base, then the tasks, under the base's names
 */
export function changedNames({
  plan,
  checkpoints,
}: {
  readonly plan: { readonly details: Pick<GroupPlan['details'], 'own'> };
  readonly checkpoints: readonly Pick<CheckpointTensors, 'tensors'>[];
}): ReadonlySet<string> {
  const [, ...tasks] = checkpoints;
  const own = plan.details.own.flat().map(({ baseName }) => baseName);
  return new Set([...tasks.flatMap(({ tensors }) => [...tensors.keys()]), ...own]);
}
