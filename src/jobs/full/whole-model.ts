/** Models as the evaluator needs them: what was merged, and around it what was not. */
import { type StoredTensor } from '@/tensor/checkpoint-tensors';
import { type ModelWeights } from '@/tensor/engine';
import { floatWeights } from '@/jobs/group/float-weights';
import { type FullJob } from './full-job';

/** Whose tensors stand where nothing was merged. */
export type Rest =
  | { readonly of: 'base' }
  /** The base's, and what the task keeps whole. */
  | { readonly of: 'sparse'; readonly task: number }
  /** All the task's own, as it was trained. */
  | { readonly of: 'task'; readonly task: number };

/**
 * Adds to merged weights the other tensors that the evaluator asks for: tied copies, what patterns
 * leave as the base has it, and a task's own tensors. Takes the weights over.
 */
export async function wholeModel(
  { group, emit, signal }: FullJob,
  weights: ModelWeights,
  rest: Rest,
  location: 'cpu' | 'gpu',
): Promise<ModelWeights> {
  const { tied } = group.plan;
  const tensors = new Map(weights.tensors);
  const missing = new Map<string, StoredTensor>();
  for (const name of group.scorer?.modelWeights ?? []) {
    if (tensors.has(name)) continue;
    const merged = tensors.get(tied.get(name) ?? '');
    const stored = restTensor(group, rest, name);
    if (merged !== undefined) tensors.set(name, merged);
    else if (stored !== undefined) missing.set(name, stored);
  }
  if (missing.size === 0) return { ...weights, tensors };
  const checkpoint = { name: group.sources.title, tensors: missing, byteLength: 0 };
  // Whoever goes on with NaN in merged weights has been asked; the rest is not computed with.
  const options = { allowNonFinite: true, emit, signal };
  const added = await floatWeights(group.engine, checkpoint, location, options);
  return {
    tensors: new Map([...tensors, ...added.tensors]),
    dispose: () => {
      added.dispose();
      weights.dispose();
    },
  };
}

/** Undefined where the name is nobody's: the evaluator says so itself. */
function restTensor(
  { stored, checkpoints, plan }: FullJob['group'],
  rest: Rest,
  name: string,
): StoredTensor | undefined {
  const ofBase = stored[0]?.tensors.get(name);
  if (rest.of === 'base') return ofBase;
  const own = plan.details.own[rest.task]?.find(({ baseName }) => baseName === name);
  if (own !== undefined) return stored[rest.task + 1]?.tensors.get(own.name);
  const ofTask = rest.of === 'task' ? checkpoints[rest.task + 1]?.tensors.get(name) : undefined;
  return ofTask ?? ofBase;
}
