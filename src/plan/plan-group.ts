/**
 * The preflight: from the headers of a base and its fine-tunes, decides which tensors are merged
 * and refuses groups that do not fit together, before a byte of weights is read.
 *
 * The merged set is every floating tensor the fine-tunes have. Fine-tunes often hold one tower
 * of the base alone; what only the base holds stays as it is ("untouched"). Integer tensors
 * (position ids) are no parameters and are never compared.
 */
import { type FloatDtype, isFloatDtype } from '@/tensor/dtype';
import { PeruError } from '@/tensor/errors';
import { type FlatLayout, flatLayout } from '@/tensor/layout';
import {
  type CheckpointFacts,
  checkpointFacts,
  floatingNames,
  type PlannedCheckpoint,
} from './checkpoint-facts';
import { listNames } from './list-names';

export interface GroupPlan {
  /** The flat space of the merged tensors, canonical order. */
  readonly layout: FlatLayout;
  /** Dtype of a merged tensor in a checkpoint: 0 is the base, t + 1 is task t. */
  readonly dtypeOf: (checkpointIndex: number, name: string) => FloatDtype;
  /** Tensors of the base that no fine-tune changes, in the base's order; they pass through. */
  readonly untouched: readonly string[];
  /** Bytes of the merged tensors over all checkpoints, each in its file's dtype. */
  readonly uploadBytes: number;
  /** Facts of the base, then of each task. */
  readonly checkpoints: readonly CheckpointFacts[];
}

/**
 * @throws PeruError `mismatch` when there is no fine-tune, or tensors are missing, extra, of
 *   another shape or of another model; `unsupported` for dtypes Peru does not merge
 */
export function planGroup(group: {
  readonly base: PlannedCheckpoint;
  readonly tasks: readonly PlannedCheckpoint[];
}): GroupPlan {
  const { base, tasks } = group;
  if (tasks.length === 0) throw loneModel(base.name);
  for (const task of tasks) checkArchitecture(base, task);
  checkSameTensors(tasks);
  const names = floatingNames(tasks[0]!);
  for (const task of tasks) checkShapes(base, task, names);
  for (const checkpoint of [base, ...tasks]) checkDtypes(checkpoint, names);
  const merged = new Set(names);
  const layout = flatLayout(names.map((name) => ({ name, shape: base.tensors.get(name)!.shape })));
  if (layout.elementCount === 0) throw nothingToMerge(tasks[0]!);
  const checkpoints = [base, ...tasks];
  return {
    layout,
    dtypeOf: (index, name) => floatDtype(checkpoints[index], name),
    untouched: [...base.tensors.keys()].filter((name) => !merged.has(name)),
    uploadBytes: checkpoints.reduce((sum, one) => sum + mergedBytes(one, names), 0),
    checkpoints: checkpoints.map(checkpointFacts),
  };
}

/** What a lone checkpoint gets told, here and when the base is guessed. */
export function loneModel(name: string): PeruError {
  return new PeruError(
    'mismatch',
    `${name} stands alone: merging takes a base and at least one model fine-tuned from it.`,
    'Add the fine-tuned checkpoints, or the base, to the group.',
  );
}

function nothingToMerge(task: PlannedCheckpoint): PeruError {
  return new PeruError(
    'mismatch',
    `${task.name} holds no floating numbers to merge: it has ${task.tensors.size} tensors, empty or of integers.`,
    'Check that it is the model itself and not a tokenizer, an index or quantised weights.',
  );
}

/** Every floating tensor of a fine-tune must stand in the base. */
function checkArchitecture(base: PlannedCheckpoint, task: PlannedCheckpoint): void {
  const names = floatingNames(task);
  if (names.length === 0) throw nothingToMerge(task);
  const extra = names.filter((name) => !base.tensors.has(name));
  if (extra.length === names.length) {
    const has = `it has ${listNames(extra)}`;
    const baseHas = `the base has ${listNames([...base.tensors.keys()])}`;
    throw new PeruError(
      'mismatch',
      `${task.name} shares no tensor with the base ${base.name}: ${has}; ${baseHas}.`,
      'Use fine-tunes of this very base, or choose the base they were trained from.',
    );
  }
  if (extra.length > 0) {
    throw new PeruError(
      'mismatch',
      `${task.name} has tensors that the base ${base.name} lacks: ${listNames(extra)}.`,
      'Save the fine-tune without its own head or added layers, or choose another base.',
    );
  }
}

/** All fine-tunes must hold the same floating tensors. */
function checkSameTensors(tasks: readonly PlannedCheckpoint[]): void {
  const all = new Set(tasks.flatMap(floatingNames));
  for (const task of tasks) {
    const own = new Set(floatingNames(task));
    const missing = [...all].filter((name) => !own.has(name));
    if (missing.length === 0) continue;
    const holder = tasks.find((other) => other.tensors.has(missing[0]!))!;
    throw new PeruError(
      'mismatch',
      `${task.name} lacks tensors that ${holder.name} has: ${listNames(missing)}.`,
      'Save all fine-tunes with the same model class, so that they hold the same tensors.',
    );
  }
}

function checkShapes(
  base: PlannedCheckpoint,
  task: PlannedCheckpoint,
  names: readonly string[],
): void {
  const wrong = names.filter(
    (name) => String(base.tensors.get(name)!.shape) !== String(task.tensors.get(name)!.shape),
  );
  if (wrong.length === 0) return;
  const shape = (checkpoint: PlannedCheckpoint): string =>
    `[${checkpoint.tensors.get(wrong[0]!)!.shape.join(', ')}]`;
  throw new PeruError(
    'mismatch',
    `${task.name} has other shapes than the base ${base.name}: ${listNames(wrong)}; the first is ${shape(task)} instead of ${shape(base)}.`,
    'Use fine-tunes of this very base: another size or vocabulary is another model.',
  );
}

function checkDtypes(checkpoint: PlannedCheckpoint, names: readonly string[]): void {
  const wrong = names.filter((name) => !isFloatDtype(checkpoint.tensors.get(name)!.dtype));
  if (wrong.length === 0) return;
  const dtypes = [...new Set(wrong.map((name) => checkpoint.tensors.get(name)!.dtype))];
  throw new PeruError(
    'unsupported',
    `${checkpoint.name} stores tensors to merge as ${dtypes.join(', ')}: ${listNames(wrong)}. Peru merges F32, F16 and BF16.`,
    'Save the checkpoint in one of these, for example with model.to(torch.float32).save_pretrained(folder).',
  );
}

function floatDtype(checkpoint: PlannedCheckpoint | undefined, name: string): FloatDtype {
  const dtype = checkpoint?.tensors.get(name)?.dtype;
  if (dtype !== undefined && isFloatDtype(dtype)) return dtype;
  throw new RangeError(`"${name}" is not one of the merged tensors.`);
}

function mergedBytes({ tensors }: PlannedCheckpoint, names: readonly string[]): number {
  return names.reduce((sum, name) => sum + tensors.get(name)!.byteLength, 0);
}
