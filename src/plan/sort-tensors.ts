/** Sorts the tensors of a group by what becomes of them: merged, a task's own, or excluded. */
import { isFloatDtype } from '@/tensor/dtype';
import { dtypeClass } from '@/tensor/safetensors-dtype';
import { isBuffer } from './buffers';
import { sameShape } from '@/plan/names/name-prefix';
import { type NamedView, type ViewedTensor } from './named-view';

/** A floating tensor that one task keeps whole. */
export interface OwnTensor {
  /** Its name in the task's own file. */
  readonly name: string;
  /** Its name in the base, or what that would be. */
  readonly baseName: string;
  readonly shape: readonly number[];
  readonly elementCount: number;
  /** Null where the base lacks it. */
  readonly baseShape: readonly number[] | null;
  /**
   * `not-in-base`; `other-shape` than the base's; or of the base's shape, but `other-shape-elsewhere`:
   * another task's differs, `lacking-elsewhere`: another task has none.
   */
  readonly why: 'not-in-base' | 'other-shape' | 'other-shape-elsewhere' | 'lacking-elsewhere';
}

export interface SortedTensors {
  /** Names of the base, in its order. */
  readonly merged: readonly string[];
  /** Per task, in its file's order. */
  readonly own: readonly (readonly OwnTensor[])[];
  /** Names of the base that would be merged, or be a task's own, but for the patterns. */
  readonly excluded: readonly string[];
  /** Buffers of several dtypes, numbers in some checkpoint; the base's stay. */
  readonly buffers: readonly string[];
}

/**
 * @param tasks under the base's names
 * @param isIncluded whether the patterns allow a tensor of the base to be merged
 */
export function sortTensors(
  base: NamedView,
  tasks: readonly NamedView[],
  isIncluded: (name: string) => boolean,
): SortedTensors {
  const merged: string[] = [];
  const excluded = new Set<string>();
  const buffers: string[] = [];
  const whyOwn = new Map<string, 'shape' | 'lacking'>();
  for (const [name, tensor] of base.tensors) {
    const held = tasks.map(({ tensors }) => tensors.get(name));
    if (!isShared(tensor, held)) continue;
    if (!isIncluded(name)) {
      excluded.add(name);
      continue;
    }
    const fit = fitOf(name, tensor, held);
    if (fit === 'merged') merged.push(name);
    else if (fit === 'buffer') buffers.push(name);
    else whyOwn.set(name, fit);
  }
  const own = tasks.map((task) => {
    return [...task.tensors].flatMap(([baseName, tensor]) => {
      if (!isFloating(tensor) || tensor.elementCount === 0) return [];
      const there = base.tensors.get(baseName);
      if (there === undefined) return [ownTensor(baseName, tensor, null, 'not-in-base')];
      const why = whyOwn.get(baseName);
      if (why === undefined) return [];
      return [ownTensor(baseName, tensor, there.shape, reason(tensor, there, why))];
    });
  });
  return { merged, own, excluded: [...excluded], buffers };
}

/** Whether the base and some task have it, as numbers in at least one of them. */
function isShared(tensor: ViewedTensor, held: readonly (ViewedTensor | undefined)[]): boolean {
  const found = held.filter((one) => one !== undefined);
  return found.length > 0 && [tensor, ...found].some(isFloating);
}

function fitOf(
  name: string,
  tensor: ViewedTensor,
  held: readonly (ViewedTensor | undefined)[],
): 'merged' | 'buffer' | 'shape' | 'lacking' {
  const found = held.filter((one) => one !== undefined);
  if (![tensor, ...found].every(isFloating)) {
    // Numbers here and codes there are one tensor, quantised: its dtype is refused by name.
    return [tensor, ...found].some(({ shape }) => isBuffer(name, shape)) ? 'buffer' : 'merged';
  }
  if (!found.every(({ shape }) => sameShape(shape, tensor.shape))) return 'shape';
  if (found.length < held.length) return 'lacking';
  // Files of several dtypes differ in a buffer by its rounding, which is no change of training's.
  const isAlike = found.every(({ dtype }) => dtype === tensor.dtype && isFloatDtype(dtype));
  return !isAlike && isBuffer(name, tensor.shape) ? 'buffer' : 'merged';
}

function ownTensor(
  baseName: string,
  { stored, shape, elementCount }: ViewedTensor,
  baseShape: readonly number[] | null,
  why: OwnTensor['why'],
): OwnTensor {
  return { name: stored, baseName, shape, elementCount, baseShape, why };
}

function reason(own: ViewedTensor, base: ViewedTensor, why: 'shape' | 'lacking'): OwnTensor['why'] {
  if (why === 'lacking') return 'lacking-elsewhere';
  return sameShape(own.shape, base.shape) ? 'other-shape-elsewhere' : 'other-shape';
}

/** Whether it holds numbers rather than indices, masks or quantised codes. */
export function isFloating({ dtype }: ViewedTensor): boolean {
  return dtypeClass(dtype) !== 'integer';
}
