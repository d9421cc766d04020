/**
 * Finds how the names of one checkpoint differ from the base's: an encoder saved by itself says
 * `encoder.x` where the whole model says `vision_model.encoder.x`, a wrapper puts `module.` or
 * `base_model.model.` before everything. One prefix is exchanged for another, the same for all
 * names. It is deduced from the names and the shapes, never from a list of known ones.
 */
import { PeruError } from '@/tensor/errors';
import { listNames } from './list-names';
import { compareModules } from './module-trees';

/** Names that begin with `from` begin with `to` in the base. Both empty: the names are the same. */
export interface PrefixChange {
  readonly from: string;
  readonly to: string;
}

export const SAME_NAMES: PrefixChange = { from: '', to: '' };

/** Shapes by name. */
export type NamedShapes = ReadonlyMap<string, readonly number[]>;

interface Side {
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

/** Whether nothing speaks for the other and something for the one; equals decide nothing. */
function beats(one: Fit, other: Fit): boolean {
  if (one.shaped < other.shaped || one.named < other.named) return false;
  if (one.shaped > other.shaped || one.named > other.named) return true;
  return one.change === SAME_NAMES || one.missing < other.missing;
}

function countFits(base: NamedShapes, task: NamedShapes, change: PrefixChange): Fit {
  let [named, shaped] = [0, 0];
  for (const [name, shape] of task) {
    if (!name.startsWith(change.from)) continue;
    const there = base.get(renamed(name, change));
    if (there === undefined) continue;
    named++;
    if (sameShape(shape, there)) shaped++;
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
function areOtherTowers({ from, to }: PrefixChange): boolean {
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

function ambiguous(base: Side, task: Side, fits: readonly Fit[]): PeruError {
  const places = fits.map(({ change: { to } }) => (to === '' ? '(no prefix)' : to));
  const names = listNames([...task.shapes.keys()]);
  return new PeruError(
    'mismatch',
    `${task.name} fits several parts of the base ${base.name} equally well: its ${names} match behind ${listNames(places)}.`,
    'Save the fine-tune from the whole model, so that its names say which part it is.',
  );
}
