/** A checkpoint as the base's names see it: which stored tensor stands for which name. */
import { dtypeClass } from '@/tensor/safetensors-dtype';
import { type PlannedCheckpoint, type PlannedTensor } from './checkpoint-facts';
import {
  findPrefix,
  type NamedShapes,
  type PrefixChange,
  renamed,
  SAME_NAMES,
} from './name-prefix';

export interface ViewedTensor extends PlannedTensor {
  /** Its name in the checkpoint's own file. */
  readonly stored: string;
}

export interface NamedView {
  /** The checkpoint's name, for messages. */
  readonly name: string;
  readonly prefix: PrefixChange;
  /** By the base's names; what the base lacks, by the name it would have there. */
  readonly tensors: ReadonlyMap<string, ViewedTensor>;
}

/** The base itself: every tensor under its own name. */
export function baseView({ name, tensors }: PlannedCheckpoint): NamedView {
  const viewed = [...tensors].map(([key, tensor]) => [key, view(key, tensor)] as const);
  return { name, prefix: SAME_NAMES, tensors: new Map(viewed) };
}

/**
 * A fine-tune under the base's names. A tensor whose changed name the base lacks is looked for
 * under its own: wrappers rename the body and leave the head.
 *
 * @throws PeruError `mismatch` when the names fit several parts of the base
 */
export function taskView(base: PlannedCheckpoint, task: PlannedCheckpoint): NamedView {
  const baseKeys = namesByKey(base.tensors.keys());
  const taskKeys = namesByKey(task.tensors.keys());
  const prefix = findPrefix(
    { name: base.name, shapes: floatShapes(base, baseKeys) },
    { name: task.name, shapes: floatShapes(task, taskKeys) },
  );
  const tensors = new Map<string, ViewedTensor>();
  const add = (name: string, stored: string): void => {
    tensors.set(name, view(stored, task.tensors.get(stored)!));
  };
  const left: (readonly [key: string, stored: string])[] = [];
  for (const [key, stored] of taskKeys) {
    const name = baseKeys.get(renamed(key, prefix));
    if (name === undefined || tensors.has(name)) left.push([key, stored]);
    else add(name, stored);
  }
  for (const [key, stored] of left) {
    const name = baseKeys.get(key) ?? renamed(key, prefix);
    add(tensors.has(name) ? unused(stored, tensors) : name, stored);
  }
  return { name: task.name, prefix, tensors };
}

function view(
  stored: string,
  { dtype, shape, elementCount, byteLength }: PlannedTensor,
): ViewedTensor {
  return { stored, dtype, shape, elementCount, byteLength };
}

/** Names by what they are compared by: the modern one, unless another tensor of the file has that. */
function namesByKey(names: Iterable<string>): ReadonlyMap<string, string> {
  const all = new Set(names);
  const keyed = [...all].map((name) => {
    const modern = modernName(name);
    return [modern === name || all.has(modern) ? name : modern, name] as const;
  });
  return new Map(keyed);
}

/** Old checkpoints call a norm's weight and bias gamma and beta; transformers reads both. */
function modernName(name: string): string {
  if (/[Nn]orm\.gamma$/.test(name)) return name.replace(/gamma$/, 'weight');
  return /[Nn]orm\.beta$/.test(name) ? name.replace(/beta$/, 'bias') : name;
}

function floatShapes(
  { tensors }: PlannedCheckpoint,
  keys: ReadonlyMap<string, string>,
): NamedShapes {
  const shapes = new Map<string, readonly number[]>();
  for (const [key, name] of keys) {
    const { dtype, shape } = tensors.get(name)!;
    if (dtypeClass(dtype) !== 'integer') shapes.set(key, shape);
  }
  return shapes;
}

/** A name that says where the tensor comes from and is nobody else's. */
function unused(stored: string, taken: ReadonlyMap<string, unknown>): string {
  let name = stored;
  while (taken.has(name)) name += "'";
  return name;
}
