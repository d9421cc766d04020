import { type AdapterPlan } from '@/formats/lora/adapter-plan';
import { type PlannedCheckpoint } from './checkpoint-facts';
import { type GroupPlan } from './plan-group';
import { type TensorTally } from './preflight';

/** What becomes of the base's tensors; copies of a merged one are not counted. */
export function tensorTally({ layout, untouched, own }: GroupPlan): TensorTally {
  return {
    mergedTensors: layout.tensors.length,
    mergedElements: layout.elementCount,
    untouchedTensors: untouched.length,
    ownTensors: own.reduce((most, names) => Math.max(most, names.length), 0),
  };
}

/** The same for adapters: merged are the weights they adapt, own the tensors they bring whole. */
export function adapterTally(plan: AdapterPlan, base: PlannedCheckpoint): TensorTally {
  const adapted = new Set(plan.adaptedWeights);
  const elements = plan.adaptedWeights.map((name) => base.tensors.get(name)!.elementCount);
  const changed = new Set([...adapted, ...plan.replacedTensors]);
  return {
    mergedTensors: adapted.size,
    mergedElements: elements.reduce((sum, count) => sum + count, 0),
    untouchedTensors: [...base.tensors.keys()].filter((name) => !changed.has(name)).length,
    ownTensors: plan.adapters.reduce((most, { copies }) => Math.max(most, copies.size), 0),
  };
}
