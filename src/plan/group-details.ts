/** What planning found out on its way, for the findings: facts, not yet sentences. */
import { type PlannedCheckpoint } from './checkpoint-facts';
import { matchesGlob, usedPatterns } from '@/plan/names/name-patterns';
import { type NamePatterns } from '@/plan/names/name-patterns';
import { type Renaming } from './named-view';
import { isFloating, type OwnTensor, type SortedTensors } from './sort-tensors';
import { type UntiedView } from './tied-tensors';

export interface GroupDetails {
  /** Names of the checkpoints, the base's first; as are all lists of checkpoints here. */
  readonly names: readonly string[];
  /** How each one's names differ from the base's. */
  readonly renamings: readonly Renaming[];
  /** Per task: what it keeps whole, and why. */
  readonly own: readonly (readonly OwnTensor[])[];
  /** Per checkpoint: names in its file that stand for a tensor read under another name. */
  readonly copies: readonly (readonly string[])[];
  /** Per checkpoint: its tables that stand twice in the file and are merged once. */
  readonly twice: readonly (readonly TableTwice[])[];
  /** Integer tensors of any checkpoint, by the base's names. */
  readonly integers: readonly string[];
  /** Buffers that some checkpoint stores as numbers. */
  readonly buffers: readonly string[];
  /** Integer tensors that are too large for ids and are not called as masks are. */
  readonly largeIntegers: readonly string[];
  /** Per task: names in its file of tensors without an element that the base lacks. */
  readonly empty: readonly (readonly string[])[];
  /** Names of the base that only the patterns keep from being merged. */
  readonly excluded: readonly string[];
  /** Patterns that match no tensor of the base. */
  readonly unusedPatterns: readonly string[];
}

/** Two names of one table in a file: the first is read, the other one is taken for its copy. */
export interface TableTwice {
  /** The base's name that it is merged under. */
  readonly name: string;
  readonly read: string;
  readonly copy: string;
}

/** Ids of positions are as many as the longest text has tokens. */
const MOST_IDS = 2 ** 20;
const MASK_OR_INDEX = /(?:bias|mask|index)$/;

/** Gathers the facts once the tensors are sorted. */
export function groupDetails(group: {
  readonly base: PlannedCheckpoint;
  /** Of the base, then of each task. */
  readonly views: readonly UntiedView[];
  readonly sorted: SortedTensors;
  readonly patterns: NamePatterns;
}): GroupDetails {
  const { base, views, sorted, patterns } = group;
  const integers = views.flatMap(({ tensors }) =>
    [...tensors].filter(([, tensor]) => !isFloating(tensor)),
  );
  const large = integers.filter(
    ([name, { elementCount }]) => elementCount > MOST_IDS && !MASK_OR_INDEX.test(name),
  );
  return {
    names: views.map(({ name }) => name),
    renamings: views.map(({ renaming }) => renaming),
    own: sorted.own,
    copies: views.map(({ copies }) => [...copies.values()].flat()),
    twice: views.map((view) => tablesTwice(view, new Set(sorted.merged))),
    integers: namesOf(integers),
    buffers: sorted.buffers,
    largeIntegers: namesOf(large),
    empty: views.slice(1).map(({ tensors }) => {
      const empty = [...tensors].filter(([, { elementCount }]) => elementCount === 0);
      return empty.filter(([name]) => !base.tensors.has(name)).map(([, { stored }]) => stored);
    }),
    excluded: sorted.excluded,
    unusedPatterns: unusedPatterns([...base.tensors.keys()], patterns),
  };
}

/** A bias that stands twice is no table: transformers writes it so. */
function tablesTwice({ copies, tensors }: UntiedView, merged: ReadonlySet<string>): TableTwice[] {
  return [...copies].flatMap(([name, others]) => {
    const { shape, stored: read } = tensors.get(name)!;
    if (!merged.has(name) || shape.length < 2 || shape.includes(0)) return [];
    return others.map((copy) => ({ name, read, copy }));
  });
}

function namesOf(tensors: readonly (readonly [name: string, tensor: unknown])[]): string[] {
  return [...new Set(tensors.map(([name]) => name))];
}

function unusedPatterns(names: readonly string[], { include, exclude }: NamePatterns): string[] {
  return usedPatterns([...include, ...exclude]).filter(
    (glob) => !names.some((name) => matchesGlob(name, glob)),
  );
}
