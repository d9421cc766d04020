/** Tells a fine-tune of the base from another model that has some names in common with it. */
import { type PlannedCheckpoint } from './checkpoint-facts';
import { otherModel, type StrangeTensor } from './group-refusals';
import { type NamedView } from './named-view';
import { sameButRows } from '@/plan/names/name-prefix';
import { isFloating } from './sort-tensors';

/** A fine-tune shares at least this part of its numbers with its base, heads and all. */
const LEAST_SHARED = 0.5;

/**
 * Rows more or less (a grown vocabulary, another number of classes) leave a tensor the same one.
 *
 * @throws PeruError `mismatch` where too little is the same
 */
export function checkShared(base: PlannedCheckpoint, view: NamedView, task: NamedView): void {
  let [elements, of] = [0, 0];
  const strange: StrangeTensor[] = [];
  for (const [name, tensor] of task.tensors) {
    if (!isFloating(tensor)) continue;
    of += tensor.elementCount;
    const there = view.tensors.get(name);
    if (there !== undefined && sameButRows(tensor.shape, there.shape))
      elements += tensor.elementCount;
    else
      strange.push({ name: tensor.stored, shape: tensor.shape, baseShape: there?.shape ?? null });
  }
  if (elements < LEAST_SHARED * of) throw otherModel(base, task.name, strange, { elements, of });
}
