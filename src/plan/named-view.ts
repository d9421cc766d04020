/** A checkpoint as the base's names see it: which stored tensor stands for which name. */
import { isBuffer } from './buffers';
import { canonicalNames } from '@/plan/names/canonical-names';
import { type PlannedCheckpoint, type PlannedTensor } from './checkpoint-facts';
import { matchNames, type NamedTensors } from '@/plan/names/match-names';
import { type PrefixChange } from '@/plan/names/name-prefix';
import { dtypeClass } from '@/tensor/safetensors-dtype';

export interface ViewedTensor extends PlannedTensor {
  /** Its name in the checkpoint's own file. */
  readonly stored: string;
}

export interface Renaming {
  readonly changes: readonly PrefixChange[];
  /** Names of its file that were matched by the structure of the model alone. */
  readonly byStructure: readonly string[];
}

const NO_RENAMING: Renaming = { changes: [], byStructure: [] };

export interface NamedView {
  /** The checkpoint's name, for messages. */
  readonly name: string;
  /** How its names differ from the base's. */
  readonly renaming: Renaming;
  /** By the base's names; what the base lacks, by the name it would have there. */
  readonly tensors: ReadonlyMap<string, ViewedTensor>;
}

/** The base itself: every tensor under its own name. */
export function baseView({ name, tensors }: PlannedCheckpoint): NamedView {
  const viewed = [...tensors].map(([key, tensor]) => [key, view(key, tensor)] as const);
  return { name, renaming: NO_RENAMING, tensors: new Map(viewed) };
}

/**
 * A fine-tune under the base's names.
 *
 * @throws PeruError `mismatch` when the names fit several parts of the base
 */
export function taskView(base: PlannedCheckpoint, task: PlannedCheckpoint): NamedView {
  const baseNames = canonicalNames(base.tensors.keys(), task.tensors);
  const taskNames = canonicalNames(task.tensors.keys(), base.tensors);
  const match = matchNames(namedTensors(base, baseNames), namedTensors(task, taskNames));
  const tensors = new Map<string, ViewedTensor>();
  const add = (name: string, stored: string): void => {
    tensors.set(name, view(stored, task.tensors.get(stored)!));
  };
  const isTaken = (name: string): boolean => tensors.has(name) || base.tensors.has(name);
  for (const [name, stored] of taskNames) {
    const there = match.baseNames.get(name);
    if (there !== undefined) add(baseNames.get(there)!, stored);
  }
  for (const [name, stored] of taskNames) {
    if (match.baseNames.has(name)) continue;
    const free = match.wouldBe(name);
    add(isTaken(free) ? unused(stored, isTaken) : free, stored);
  }
  const byStructure = match.byStructure.map((name) => taskNames.get(name)!);
  return { name: task.name, renaming: { changes: match.changes, byStructure }, tensors };
}

function view(
  stored: string,
  { dtype, shape, elementCount, byteLength }: PlannedTensor,
): ViewedTensor {
  return { stored, dtype, shape, elementCount, byteLength };
}

function namedTensors(
  { name: checkpoint, tensors }: PlannedCheckpoint,
  names: ReadonlyMap<string, string>,
): NamedTensors {
  const weights = new Map<string, readonly number[]>();
  const others: string[] = [];
  for (const [name, stored] of names) {
    const { dtype, shape } = tensors.get(stored)!;
    if (dtypeClass(dtype) === 'integer' || isBuffer(name, shape)) others.push(name);
    else weights.set(name, shape);
  }
  return { name: checkpoint, weights, others };
}

/** A name that says where the tensor comes from and is nobody else's. */
function unused(stored: string, isTaken: (name: string) => boolean): string {
  let name = stored;
  while (isTaken(name)) name += "'";
  return name;
}
