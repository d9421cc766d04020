/**
 * Matches the names an adapter uses to those of a base. An adapter trained on a part of the model,
 * on a wrapper of it, or under another version's names says `encoder.x` where the base's file says
 * `vision_model.encoder.x`, `model.language_model.x` for `model.x`: what stands before the layers
 * is exchanged, and where layers themselves are called otherwise, blocks are compared. All of it
 * is deduced from names and shapes, and never guessed.
 */
import { type PeruError } from '@/core/errors';
import {
  ambiguous,
  fusedAttention,
  layerOf,
  otherBase,
  otherVersion,
  someMissing,
} from './adapter-name-refusals';
import { type BaseNames, baseNames } from './base-names';
import { fitsSomeBlocks, layerReadings } from './layer-readings';
import { byLength, changer, isPlace, type NameChange, shortened } from '@/plan/names/name-changes';
import {
  type ChangedTensor,
  changesOf,
  prefixReadings,
  reader,
  type Reading,
  type ReadLayers,
} from './prefix-readings';
import { isEmbedding, isTokenHead } from '@/formats/checkpoint/token-tables';
import { areOtherTowers } from '@/plan/names/tower-names';

export interface NameMatch {
  /** The base's name for a name of the adapter; null where the base has no such tensor. */
  readonly baseName: (path: string) => string | null;
  /** How the adapter's names become the base's; none where they are the same. */
  readonly changes: readonly NameChange[];
}

interface Sides {
  /** For messages. */
  readonly adapter: string;
  readonly base: string;
  /** The tensors that factors change. */
  readonly tensors: readonly ChangedTensor[];
  /** Names of the tensors that it brings whole; they follow, and need not be in the base. */
  readonly copies: readonly string[];
  readonly baseNames: Iterable<string>;
  /** The class that the adapter was made for, where it says: `CLIPVisionModel` is one tower. */
  readonly className: string | null;
  /** Whether it was made for another kind of model than the base: its names are taken as they are. */
  readonly isOtherKind: boolean;
}

/**
 * The one reading of the names under which the base has every tensor that factors change; names
 * that fit as they are come first.
 *
 * @throws PeruError `mismatch` when no name matches, some do not, or two readings would do
 */
export function matchNames(sides: Sides): NameMatch {
  const { tensors, copies } = sides;
  const base = baseNames(sides.baseNames);
  if (tensors.every(({ name }) => base.find(name) !== null)) return matchOf([], base);
  const fitting = readings(sides, base, (some) => layerReadings(some, base));
  const [only, ...others] = withCopies(ofClass(fitting, sides.className), copies, base);
  if (others.length > 0) throw ambiguous(sides, fitting);
  if (only !== undefined) return matchOf(only, base);
  // Where only the shapes are in the way, they are what to tell.
  const anyShape = tensors.map(({ name }): ChangedTensor => ({ name, fits: () => true }));
  const named = readings({ ...sides, tensors: anyShape }, base, () => []);
  if (named.length === 1) return matchOf(named[0]!, base);
  if (named.length > 1) throw ambiguous(sides, named);
  throw refusal(sides, base);
}

/** Of another kind of model only a part is believed, or a whole: beginnings more, or less. */
function readings(
  { tensors, isOtherKind }: Sides,
  base: BaseNames,
  inLayers: ReadLayers,
): Reading[] {
  if (!isOtherKind) return prefixReadings(tensors, base, inLayers);
  return prefixReadings(tensors, base, () => []).filter((reading) =>
    reading.map(shortened).every(({ from, to }) => from === '' || to === ''),
  );
}

/** Readings into the tower that a class names, where there are several. */
function ofClass(all: readonly Reading[], className: string | null): readonly Reading[] {
  if (all.length < 2 || className === null) return all;
  return all.filter(
    (reading) => !reading.some(({ to }) => areOtherTowers({ from: className, to })),
  );
}

/** The readings under which the base has most of the whole tensors, too. */
function withCopies(
  all: readonly Reading[],
  copies: readonly string[],
  base: BaseNames,
): readonly Reading[] {
  if (all.length < 2) return all;
  const counts = all.map((reading) => {
    const read = reader(reading);
    return copies.filter((name) => base.find(read(name)) !== null).length;
  });
  const most = Math.max(...counts);
  return all.filter((_, i) => counts[i] === most);
}

/** A name that no change finds is looked for as it is: wrappers rename the body, not the head. */
function matchOf(reading: Reading, base: BaseNames): NameMatch {
  const changers = [...byLength(reading).map(changer), (name: string) => name];
  const baseName = (path: string): string | null => {
    for (const change of changers) {
      const name = change(path);
      const found = name === null ? null : base.find(name);
      if (found !== null) return found;
    }
    return isEmbedding(path) || isTokenHead(path) ? tableBehind(path, base) : null;
  };
  const changes = reading.filter(({ from, to }) => from !== to);
  return { baseName, changes };
}

/** The one table of tokens in the base that is called so, whatever place stands before it. */
function tableBehind(path: string, base: BaseNames): string | null {
  const changes = changesOf(path, Infinity, base);
  const [only, another] = changes.filter(({ from, to }) => isPlace(from) && isPlace(to));
  return only === undefined || another !== undefined ? null : base.find(changer(only)(path)!);
}

/** The change under which the base has most of the names, for messages. */
function closest(paths: readonly string[], base: BaseNames): NameMatch {
  const sampled = [...new Set([paths[0]!, paths.at(-1)!])];
  const changes = sampled.flatMap((path) => changesOf(path, Infinity, base));
  const matches = [[], ...changes.map((change) => [change])].map((one) => matchOf(one, base));
  const found = ({ baseName }: NameMatch): number =>
    paths.filter((path) => baseName(path) !== null).length;
  return matches.reduce((best, one) => (found(one) > found(best) ? one : best));
}

function refusal(sides: Sides, base: BaseNames): PeruError {
  const { adapter, tensors } = sides;
  const paths = tensors.map(({ name }) => name);
  const { baseName } = closest(paths, base);
  const missing = paths.filter((path) => baseName(path) === null);
  const inProjection = missing.find(
    (path) => base.find(`${layerOf(path)}.in_proj_weight`) !== null,
  );
  if (inProjection !== undefined) return fusedAttention(adapter, inProjection);
  const told = { adapter, base: sides.base, paths, missing, baseNames: base.keys };
  if (missing.length < paths.length && !sides.isOtherKind) return someMissing(told);
  const isRenamed = !sides.isOtherKind && fitsSomeBlocks(tensors, base);
  return isRenamed ? otherVersion(told) : otherBase(told);
}
