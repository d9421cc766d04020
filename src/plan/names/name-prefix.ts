/**
 * Finds by which prefix the names of one checkpoint differ from the base's: an encoder saved by
 * itself says `encoder.x` where the whole model says `vision_model.encoder.x`, a wrapper puts
 * `base_model.model.` before everything. One prefix is exchanged for another; of several, as the
 * parts of a vision-language model have, each is found by itself. They are deduced from the names
 * and the shapes, never from a list of known ones.
 */
import { PeruError } from '@/core/errors';
import { listNames } from '@/core/list-names';
import { compareModules } from './module-trees';

/** Names that begin with `from` begin with `to` in the base. Both empty: the names are the same. */
export interface PrefixChange {
  readonly from: string;
  readonly to: string;
}

export const SAME_NAMES: PrefixChange = { from: '', to: '' };

/** Shapes by name. */
export type NamedShapes = ReadonlyMap<string, readonly number[]>;

export interface Side {
  /** For messages. */
  readonly name: string;
  readonly shapes: NamedShapes;
}

/** What a change of prefix makes fit. */
interface Fit {
  readonly change: PrefixChange;
  /** Names that the base has. */
  readonly named: number;
  /** Of these, those with the base's shape. */
  readonly shaped: number;
  /** What the base has in modules of both that the other lacks, e.g. layers. */
  readonly missing: number;
}

/** Prefixes of more parts than this are not looked for. */
const MAX_PREFIX_PARTS = 8;
/** Tensors whose names are compared part by part: enough to see what all have in common. */
const MAX_SAMPLED_NAMES = 1024;
/** An ending that more tensors of the base share says nothing (`weight`); towers share theirs. */
const MAX_SHARED_ENDING = 8;
/** Changes that are tried on all names, those that fit most of the sample first. */
const MAX_TRIED = 8;

/** The name that a tensor has in the base under a change; names without `from` keep theirs. */
export function renamed(name: string, { from, to }: PrefixChange): string {
  return name.startsWith(from) ? to + name.slice(from.length) : name;
}

/**
 * The change of prefix under which most tensors fit the base by name and shape. Names that fit as
 * they are come first. Where nothing fits, the names stay as they are.
 *
 * @throws PeruError `mismatch` when two changes fit equally well, e.g. those to both towers
 */
export function findPrefix(base: Side, task: Side): PrefixChange {
  const same = countFits(base.shapes, task.shapes, SAME_NAMES);
  // What most names say is meant, even where another reading would fit more of them.
  if (same.shaped * 2 > task.shapes.size) return SAME_NAMES;
  const others = likelyChanges(base.shapes, task.shapes)
    .map((change) => countFits(base.shapes, task.shapes, change))
    .flatMap((fit) => withModules(base.shapes, task.shapes, fit));
  const fits = same.named > 0 ? [same, ...others] : others;
  const mostNamed = fits.reduce((most, { named }) => Math.max(most, named), 0);
  const serious = fits.filter(({ named }) => named * 2 >= mostNamed);
  const best = serious.filter((one) =>
    serious.every((other) => other === one || beats(one, other)),
  );
  if (best.length === 1) return best[0]!.change;
  const contenders = serious.filter(({ shaped }) => shaped * 2 > task.shapes.size);
  if (contenders.length > 1) throw ambiguous(base, task, contenders);
  return SAME_NAMES;
}

/**
 * A change of prefix for names that others left over: whatever it finds in the base has the base's
 * shape there, but for the number of rows, and what else these names could be is less. Null where
 * there is none.
 *
 * @param placed names of the same file that have their place: a part of the model moves as a whole
 */
export function furtherPrefix(
  base: NamedShapes,
  task: NamedShapes,
  placed: readonly string[],
): PrefixChange | null {
  const isSplit = ({ from }: PrefixChange): boolean => placed.some((name) => name.startsWith(from));
  const fits = likelyChanges(base, task)
    .filter((one) => isRegrouping(one) || (!isSplit(one) && movesBlocks(base, task, one)))
    .map((change) => countFits(base, task, change, sameButRows))
    .filter(({ named, shaped }) => shaped > 0 && shaped === named)
    .flatMap((fit) => withModules(base, task, fit))
    .sort((a, b) => b.shaped - a.shaped);
  const rivals = (one: Fit): Fit[] =>
    fits.filter((other) => other !== one && competes(base, task, one.change, other.change));
  return fits.find((one) => rivals(one).every((other) => beats(one, other)))?.change ?? null;
}

/** Whether a change only adds parts, leaves some out or puts them in another order. */
function isRegrouping({ from, to }: PrefixChange): boolean {
  const [parts, others] = [from.split('.'), to.split('.')];
  return (
    parts.every((part) => others.includes(part)) || others.every((part) => parts.includes(part))
  );
}

/**
 * One word in the place of another may be another thing altogether, such as a classifier where the
 * base has a language model's head; a tower with its layers, which all have a place, is the same.
 */
function movesBlocks(base: NamedShapes, task: NamedShapes, change: PrefixChange): boolean {
  const names = [...task.keys()].filter((name) => name.startsWith(change.from));
  return (
    names.every((name) => base.has(renamed(name, change))) &&
    names.some((name) => /\.\d+\./.test(name.slice(Math.max(0, change.from.length - 1))))
  );
}

/** Whether two changes give one name two places, or two names one place. */
function competes(
  base: NamedShapes,
  task: NamedShapes,
  one: PrefixChange,
  other: PrefixChange,
): boolean {
  const places = placesOf(base, task, one);
  const taken = new Set(places.values());
  return [...placesOf(base, task, other)].some(
    ([name, place]) => places.has(name) || taken.has(place),
  );
}

function placesOf(
  base: NamedShapes,
  task: NamedShapes,
  change: PrefixChange,
): ReadonlyMap<string, string> {
  const moved = [...task.keys()].filter((name) => name.startsWith(change.from));
  const places = moved.map((name) => [name, renamed(name, change)] as const);
  return new Map(places.filter(([, place]) => base.has(place)));
}

/** Whether nothing speaks for the other and something for the one; equals decide nothing. */
function beats(one: Fit, other: Fit): boolean {
  if (one.shaped < other.shaped || one.named < other.named) return false;
  if (one.shaped > other.shaped || one.named > other.named) return true;
  return one.change === SAME_NAMES || one.missing < other.missing;
}

function countFits(
  base: NamedShapes,
  task: NamedShapes,
  change: PrefixChange,
  fits = sameShape,
): Fit {
  let [named, shaped] = [0, 0];
  for (const [name, shape] of task) {
    if (!name.startsWith(change.from)) continue;
    const there = base.get(renamed(name, change));
    if (there === undefined) continue;
    named++;
    if (fits(shape, there)) shaped++;
  }
  return { change, named, shaped, missing: 0 };
}

/** Leaves out a change that lays one kind of module over another, as a text over a vision tower. */
function withModules(base: NamedShapes, task: NamedShapes, fit: Fit): Fit[] {
  const { from, to } = fit.change;
  const { conflict, missing } = compareModules(behind(base, to), behind(task, from));
  return conflict ? [] : [{ ...fit, missing }];
}

function behind(shapes: NamedShapes, prefix: string): string[] {
  return [...shapes.keys()]
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length));
}

/** Changes that a sample of the names suggests, the most frequent first. */
function likelyChanges(base: NamedShapes, task: NamedShapes): PrefixChange[] {
  const names = sample([...task.keys()]);
  const holders = baseNamesByEnding(base, new Set(names.flatMap(endings)));
  const counts = new Map<string, { readonly change: PrefixChange; count: number }>();
  for (const name of names) {
    const known = endings(name).flatMap((ending) => holders.get(ending) ?? []);
    for (const other of new Set(known)) {
      const change = difference(name, other);
      if (isShift(change) || areOtherTowers(change)) continue;
      const key = JSON.stringify([change.from, change.to]);
      const counted = counts.get(key) ?? { change, count: 0 };
      counted.count++;
      counts.set(key, counted);
    }
  }
  const sorted = [...counts.values()].sort((a, b) => b.count - a.count);
  return sorted.slice(0, MAX_TRIED).map(({ change }) => change);
}

/** Names of the base by what they end with; endings of too many of them are left out. */
function baseNamesByEnding(
  base: NamedShapes,
  wanted: ReadonlySet<string>,
): ReadonlyMap<string, readonly string[]> {
  const holders = new Map<string, string[]>();
  for (const name of base.keys()) {
    for (const ending of endings(name)) {
      if (!wanted.has(ending)) continue;
      const names = holders.get(ending) ?? [];
      if (names.length <= MAX_SHARED_ENDING) names.push(name);
      holders.set(ending, names);
    }
  }
  return new Map([...holders].filter(([, names]) => names.length <= MAX_SHARED_ENDING));
}

/** The name and what is left of it without its first parts. */
function endings(name: string): string[] {
  const found = [name];
  let dot = name.indexOf('.');
  while (dot >= 0 && found.length <= MAX_PREFIX_PARTS) {
    found.push(name.slice(dot + 1));
    dot = name.indexOf('.', dot + 1);
  }
  return found;
}

/** What stands before the parts that both names end with. */
function difference(name: string, baseName: string): PrefixChange {
  const [parts, baseParts] = [name.split('.'), baseName.split('.')];
  let shared = 0;
  while (
    shared < Math.min(parts.length, baseParts.length) &&
    parts.at(-1 - shared) === baseParts.at(-1 - shared)
  ) {
    shared++;
  }
  const before = (all: readonly string[]): string =>
    all
      .slice(0, all.length - shared)
      .map((part) => `${part}.`)
      .join('');
  const change = { from: before(parts), to: before(baseParts) };
  return change.from === '' && change.to === '' ? SAME_NAMES : change;
}

/** Layer 3 laid over layer 4 is no difference of prefix, nor is none. */
function isShift(change: PrefixChange): boolean {
  if (change === SAME_NAMES) return true;
  const { from, to } = change;
  return /(?:^|\.)\d+\.$/.test(from) && /(?:^|\.)\d+\.$/.test(to);
}

const TOWERS: readonly RegExp[] = [
  /vision|visual|image/i,
  /text|language/i,
  /audio|speech/i,
  /encoder/i,
  /decoder/i,
];

/** Whether both prefixes say which part of a model they are, and not the same. */
export function areOtherTowers({ from, to }: PrefixChange): boolean {
  const [a, b] = [from, to].map((prefix) =>
    TOWERS.flatMap((tower, i) => (tower.test(prefix) ? [i] : [])),
  ) as [number[], number[]];
  return a.length > 0 && b.length > 0 && String(a) !== String(b);
}

/** Evenly spread over all names, so that every part of the model is in it. */
function sample(names: readonly string[]): readonly string[] {
  const step = Math.max(1, Math.ceil(names.length / MAX_SAMPLED_NAMES));
  return names.filter((_, i) => i % step === 0);
}

/** Whether both have as many dimensions, of the same sizes. */
export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}

/** The same, or rows more or less: a grown vocabulary, a head for another number of classes. */
export function sameButRows(a: readonly number[], b: readonly number[]): boolean {
  return a.length < 2
    ? sameShape(a, b)
    : a.length === b.length && sameShape(a.slice(1), b.slice(1));
}

function ambiguous(base: Side, task: Side, fits: readonly Fit[]): PeruError {
  const places = fits.map(({ change: { to } }) => (to === '' ? '(no prefix)' : to));
  const names = listNames([...task.shapes.keys()]);
  return new PeruError(
    'mismatch',
    `${task.name} fits several parts of the base ${base.name} equally well: its ${names} match behind ${listNames(places)}.`,
    'Save the fine-tune from the whole model, so that its names say which part it is.',
  );
}
