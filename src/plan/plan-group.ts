/**
 * The preflight: from the headers of a base and its fine-tunes, decides which tensors are merged,
 * which stay, and which a fine-tune keeps whole, before a byte of weights is read.
 *
 * Merged is every floating tensor that the base and all fine-tunes hold in one shape. What no
 * fine-tune holds stays as the base has it ("untouched"). What only some hold, or in a shape of
 * their own (heads, grown vocabularies), is theirs ("own"): taking a missing tensor for an
 * unchanged one would be a guess. Integer tensors (position ids) are no parameters, nor are masks,
 * rotary frequencies and other buffers that files store in several dtypes: the base's stay.
 */
import { type FloatDtype, isFloatDtype } from '@/tensor/dtype';
import { type FlatLayout, flatLayout } from '@/tensor/layout';
import { checkEmpty } from './check-empty';
import { checkShared } from './check-shared';
import {
  type CheckpointFacts,
  checkpointFacts,
  floatingNames,
  type PlannedCheckpoint,
} from './checkpoint-facts';
import { type GroupDetails, groupDetails } from './group-details';
import { leaveOut } from './leave-out';
import {
  loneModel,
  noFloatingNumbers,
  nothingIncluded,
  nothingInCommon,
  wrongDtypes,
} from './group-refusals';
import { matchesPatterns } from '@/plan/names/name-patterns';
import { baseView, taskView } from './named-view';
import { type NamePatterns } from '@/plan/names/name-patterns';
import { sortTensors } from './sort-tensors';
import {
  type ModelConfig,
  plannedName,
  tiedNames,
  type TiedNames,
  type UntiedView,
  withoutCopies,
} from './tied-tensors';

export interface GroupPlan {
  /** The flat space of the merged tensors, canonical order; the base's names. */
  readonly layout: FlatLayout;
  /** Dtype of a merged tensor in a checkpoint: 0 is the base, t + 1 is task t. */
  readonly dtypeOf: (checkpointIndex: number, name: string) => FloatDtype;
  /** Tensors of the base that stay as they are, in the base's order; they pass through. */
  readonly untouched: readonly string[];
  /** Bytes of the merged tensors over all checkpoints, each in its file's dtype. */
  readonly uploadBytes: number;
  /** Facts of the base, then of each task. */
  readonly checkpoints: readonly CheckpointFacts[];
  /**
   * Per checkpoint (0 is the base, whose map is empty): merged name -> its name in that file,
   * where it differs. For `inBaseNames`.
   */
  readonly storedNames: readonly ReadonlyMap<string, string>[];
  /**
   * Per task, names in its own file of floating tensors it keeps whole. The base's tensor of
   * that name, where there is one, is among the untouched.
   */
  readonly own: readonly (readonly string[])[];
  /**
   * Names of the base that are copies of a merged tensor -> that tensor's name. The merged model
   * writes both alike. They are neither in the layout nor among the untouched.
   */
  readonly tied: ReadonlyMap<string, string>;
  /** What the findings tell about it. */
  readonly details: GroupDetails;
}

export interface GroupOfCheckpoints {
  readonly base: PlannedCheckpoint;
  readonly tasks: readonly PlannedCheckpoint[];
  /** Which of the base's tensors are merged; absent: all. */
  readonly patterns?: NamePatterns;
  /** `config.json` of the base, then of each task; decides whether heads are embeddings. */
  readonly configs?: readonly ModelConfig[];
}

const ALL_NAMES: NamePatterns = { include: [], exclude: [] };

/**
 * @throws PeruError `mismatch` when there is no fine-tune, one is of another model or fits several
 *   parts of the base, or nothing is left to merge; `unsupported` for dtypes Peru does not merge
 */
export function planGroup(group: GroupOfCheckpoints): GroupPlan {
  const { base, tasks, patterns = ALL_NAMES, configs = [] } = group;
  if (tasks.length === 0) throw loneModel(base.name);
  for (const checkpoint of [...tasks, base]) checkFloats(checkpoint);
  const named = [baseView(base), ...tasks.map((task) => taskView(base, task))];
  const groups = tiedNames(named, configs);
  const views = named.map((view) => withoutCopies(view, groups, named[0]!));
  const [baseUntied, ...taskViews] = views as [UntiedView, ...UntiedView[]];
  const isIncluded = patternFilter(groups, baseUntied, patterns);
  for (const task of taskViews) {
    checkEmpty(baseUntied, task, isIncluded);
    checkShared(base, baseUntied, task);
  }
  const sorted = sortTensors(baseUntied, taskViews, isIncluded);
  for (const view of views) checkDtypes(view, sorted.merged, baseUntied);
  const layout = flatLayout(
    sorted.merged.map((name) => ({ name, shape: baseUntied.tensors.get(name)!.shape })),
  );
  if (layout.elementCount === 0) throw nothingToMerge(group, sorted.excluded.length > 0);
  const merged = new Set(sorted.merged);
  const tied = tiedCopies(groups, baseUntied, base, merged);
  return {
    layout,
    dtypeOf: (index, name) => floatDtype(views[index], merged, name),
    untouched: [...base.tensors.keys()].filter((name) => !merged.has(name) && !tied.has(name)),
    uploadBytes: views.reduce((sum, view) => sum + mergedBytes(view, sorted.merged), 0),
    checkpoints: [base, ...tasks].map(checkpointFacts),
    storedNames: views.map((view) => storedNames(view, sorted.merged)),
    own: sorted.own.map((tensors) => tensors.map(({ name }) => name)),
    tied,
    details: groupDetails({ base, views, sorted, patterns }),
  };
}

function checkFloats(checkpoint: PlannedCheckpoint): void {
  if (floatingNames(checkpoint).length === 0) throw noFloatingNumbers(checkpoint);
}

/** A tensor of several names is included by any of them, and excluded by any. */
function patternFilter(
  groups: readonly TiedNames[],
  base: UntiedView,
  { include, exclude }: NamePatterns,
): (name: string) => boolean {
  const aliases = new Map(groups.map((group) => [plannedName(group, base), group]));
  return (name) => {
    const names = aliases.get(name) ?? [name];
    return (
      names.some((one) => matchesPatterns(one, { include, exclude: [] })) &&
      names.every((one) => matchesPatterns(one, { include: [], exclude }))
    );
  };
}

function checkDtypes(
  { name: checkpoint, tensors }: UntiedView,
  names: readonly string[],
  base: UntiedView,
): void {
  const wrong = names.filter((name) => {
    const tensor = tensors.get(name);
    return tensor !== undefined && !isFloatDtype(tensor.dtype);
  });
  if (wrong.length === 0) return;
  const found = wrong.map((name) => tensors.get(name)!);
  const dtypes = [...new Set(found.map(({ dtype }) => dtype))];
  const stored = found.map((tensor) => tensor.stored);
  const exclude = wrong.length < names.length ? leaveOut(wrong, [...base.tensors.keys()]) : [];
  throw wrongDtypes(checkpoint, stored, dtypes, exclude);
}

function nothingToMerge({ base, tasks, patterns }: GroupOfCheckpoints, excluded: boolean): Error {
  if (excluded && patterns !== undefined) return nothingIncluded(patterns);
  const empty = tasks.find(({ tensors }) =>
    [...tensors.values()].every(({ elementCount }) => elementCount === 0),
  );
  if (empty !== undefined) return noFloatingNumbers(empty);
  return nothingInCommon(
    base.name,
    tasks.map(({ name }) => name),
  );
}

/** Names of the base that stand for a merged tensor beside its own. */
function tiedCopies(
  groups: readonly TiedNames[],
  view: UntiedView,
  base: PlannedCheckpoint,
  merged: ReadonlySet<string>,
): ReadonlyMap<string, string> {
  const tied = new Map<string, string>();
  for (const group of groups) {
    const planned = plannedName(group, view);
    if (!merged.has(planned)) continue;
    for (const name of group) {
      if (name !== planned && base.tensors.has(name)) tied.set(name, planned);
    }
  }
  return tied;
}

function storedNames(view: UntiedView, names: readonly string[]): ReadonlyMap<string, string> {
  const stored = names.map((name) => [name, view.tensors.get(name)!.stored] as const);
  return new Map(stored.filter(([name, own]) => name !== own));
}

function floatDtype(
  view: UntiedView | undefined,
  merged: ReadonlySet<string>,
  name: string,
): FloatDtype {
  const dtype = view?.tensors.get(name)?.dtype;
  if (dtype !== undefined && merged.has(name) && isFloatDtype(dtype)) return dtype;
  throw new RangeError(`"${name}" is not one of the merged tensors.`);
}

function mergedBytes({ tensors }: UntiedView, names: readonly string[]): number {
  return names.reduce((sum, name) => sum + tensors.get(name)!.byteLength, 0);
}
