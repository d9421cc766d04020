/**
 * Reads an adapter's names as a base's with other beginnings: one for all of them, or one for each
 * part of the model, as where a vision and a language tower moved apart. What the names end with
 * and the shapes decide.
 */
import { type BaseNames } from './base-names';
import {
  areOtherModels,
  beginning,
  byLength,
  changer,
  type NameChange,
  shortened,
} from '@/plan/names/name-changes';
import { areOtherTowers } from '@/plan/names/tower-names';

/** A tensor that an adapter changes. */
export interface ChangedTensor {
  readonly name: string;
  /** Whether its shapes fit a tensor of the base. */
  readonly fits: (baseName: string) => boolean;
}

/** Beginnings that turn all names into the base's; none: the names are the same. */
export type Reading = readonly NameChange[];

/** Names that no exchange of beginnings explains. */
export type ReadLayers = (tensors: readonly ChangedTensor[]) => Reading[];

/** Readings beyond these are no longer told apart: the adapter fits too many places. */
const MAX_READINGS = 16;
/** Beginnings of more parts than this are not looked for. */
const MAX_PARTS = 8;

/**
 * All ways to read the names, each with as few changes as do. Parts of the model are read apart
 * only where one change does not do for all.
 *
 * @param readLayers asked for names that differ inside of their layers
 */
export function prefixReadings(
  tensors: readonly ChangedTensor[],
  base: BaseNames,
  readLayers: ReadLayers,
): Reading[] {
  const shared = sharedParts(tensors);
  const whole = changesOfAll(tensors, shared, base);
  const same = whole.find(isNone);
  if (same !== undefined) return [[same]];
  if (whole.length > 0) return whole.map((change) => [change]);
  const parts = partsBehind(tensors, shared.length);
  if (parts === null) return readLayers(tensors);
  const readings = parts.map((part) => {
    const own = beginning(part[0]!.name.split('.').slice(0, shared.length + 1));
    return prefixReadings(part, base, readLayers).map((reading) => within(reading, own));
  });
  return combined(readings).filter((reading) => isInjective(tensors, reading));
}

/** The changes of a part as changes of names that begin as all of its do, and of no others. */
function within(reading: Reading, own: string): Reading {
  return reading.map((change) =>
    change.from.length < own.length ? { from: own, to: changer(change)(own) ?? own } : change,
  );
}

function isInjective(tensors: readonly ChangedTensor[], reading: Reading): boolean {
  const change = reader(reading);
  return new Set(tensors.map(({ name }) => change(name))).size === tensors.length;
}

/** What a reading makes of a name: the longest beginning counts; other names stay. */
export function reader(reading: Reading): (name: string) => string {
  const changers = byLength(reading).map(changer);
  return (name) => {
    for (const change of changers) {
      const found = change(name);
      if (found !== null) return found;
    }
    return name;
  };
}

/** Parts that all names begin with, up to the first number and without the tensor's own. */
function sharedParts(tensors: readonly ChangedTensor[]): string[] {
  const [first, ...others] = tensors.map(({ name }) => name.split('.').slice(0, -2));
  const end = first!.findIndex(
    (part, i) => /^\d+$/.test(part) || others.some((other) => other[i] !== part),
  );
  return end < 0 ? first! : first!.slice(0, end);
}

/** Changes under which the base has every one of the names, in a shape that fits. */
function changesOfAll(
  tensors: readonly ChangedTensor[],
  shared: readonly string[],
  base: BaseNames,
): NameChange[] {
  return changesOf(tensors[0]!.name, shared.length, base).filter((change) =>
    fitsAll(tensors, change, base),
  );
}

/** Changes under which the base has a name, each once; of its beginning at most so many parts. */
export function changesOf(name: string, maxParts: number, base: BaseNames): NameChange[] {
  const parts = name.split('.');
  const found = new Map<string, NameChange>();
  for (let cut = 0; cut <= Math.min(maxParts, parts.length - 2, MAX_PARTS); cut++) {
    const from = beginning(parts.slice(0, cut));
    const ending = name.slice(from.length);
    for (const key of base.keys) {
      if (!key.endsWith(ending) || !isWholeParts(key, ending)) continue;
      const change = shortened({ from, to: key.slice(0, key.length - ending.length) });
      if (isTelling(change, name)) found.set(`${change.from} ${change.to}`, change);
    }
  }
  return [...found.values()];
}

function isWholeParts(key: string, ending: string): boolean {
  return key.length === ending.length || key[key.length - ending.length - 1] === '.';
}

/** One beginning for another must leave two parts, or what is left could be any layer. */
function isTelling(change: NameChange, name: string): boolean {
  const { from, to } = change;
  if (areOtherTowers(change) || areOtherModels(change)) return false;
  if (/\d\.$/.test(from) && /\d\.$/.test(to)) return false;
  return from === '' || to === '' || name.slice(from.length).split('.').length > 2;
}

function fitsAll(tensors: readonly ChangedTensor[], change: NameChange, base: BaseNames): boolean {
  const changed = changer(change);
  return tensors.every(({ name, fits }) => {
    const found = base.find(changed(name) ?? name);
    return found !== null && fits(found);
  });
}

function isNone({ from, to }: NameChange): boolean {
  return from === '' && to === '';
}

/** The tensors by the part behind those they share; null where these are layers, or it is one. */
function partsBehind(tensors: readonly ChangedTensor[], at: number): ChangedTensor[][] | null {
  const parts = new Map<string, ChangedTensor[]>();
  for (const tensor of tensors) {
    const part = tensor.name.split('.')[at] ?? '';
    if (/^\d+$/.test(part)) return null;
    const same = parts.get(part) ?? [];
    same.push(tensor);
    parts.set(part, same);
  }
  return parts.size > 1 ? [...parts.values()] : null;
}

/** One reading of each part together, in all ways. */
function combined(parts: readonly (readonly Reading[])[]): Reading[] {
  let all: Reading[] = [[]];
  for (const readings of parts) {
    all = all.flatMap((one) => readings.map((other) => [...one, ...other])).slice(0, MAX_READINGS);
  }
  return all;
}
