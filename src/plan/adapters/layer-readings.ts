/**
 * Reads layers whose names differ inside of their blocks, as `layers.3.attention.q_proj` and
 * `encoder.layer.3.attention.attention.query`: transformers renames some models in memory and
 * writes their files in the old names. Blocks are matched by their numbers, layers by all shapes
 * together and by what their names say they are; whatever leaves a doubt is not read at all.
 */
import { type BaseNames } from './base-names';
import { roleOf } from '@/plan/names/layer-roles';
import { areOtherModels, type NameChange } from '@/plan/names/name-changes';
import { type ChangedTensor, type Reading } from './prefix-readings';
import { areOtherTowers } from '@/plan/names/tower-names';

/** A name that has numbers in it: `encoder.layer.#.`, `attention.query.weight` and `3`. */
interface LayerName {
  readonly blocks: string;
  readonly inner: string;
  /** The numbers, as they stand in the name. */
  readonly index: string;
}

/** By the name inside of a block, by the block's numbers. */
type Blocks<Tensor> = Map<string, Map<string, Tensor>>;

/** All ways to read layers, one change a layer; none where anything is in doubt. */
export function layerReadings(tensors: readonly ChangedTensor[], base: BaseNames): Reading[] {
  if (tensors.some(({ name }) => layerName(name) === null)) return [];
  const own = blocksOf(tensors.map((tensor) => [tensor.name, tensor] as const));
  const ofBase = blocksOf(base.byKey);
  let readings: Reading[] = [[]];
  for (const [blocks, layers] of own) {
    const found = [...ofBase].flatMap(([other, candidates]) =>
      readBlocks({ blocks, layers }, { blocks: other, layers: candidates }),
    );
    readings = readings.flatMap((one) => found.map((other) => [...one, ...other]));
  }
  return readings.filter((reading) => new Set(reading.map(({ to }) => to)).size === reading.length);
}

interface Side<Tensor> {
  readonly blocks: string;
  readonly layers: Blocks<Tensor>;
}

/** At most one reading of all these layers as those of the base's blocks. */
function readBlocks(own: Side<ChangedTensor>, base: Side<string>): Reading[] {
  const whole = { from: own.blocks, to: base.blocks };
  const isPossible =
    count(own.blocks, '#') === count(base.blocks, '#') &&
    !areOtherTowers(whole) &&
    !areOtherModels(whole);
  if (!isPossible) return [];
  const named = [...own.layers].map(([inner, tensors]) => {
    return { inner, other: layerIn(inner, tensors, [...own.layers.keys()], base.layers) };
  });
  if (named.some(({ other }) => other === null)) return [];
  if (new Set(named.map(({ other }) => other)).size < named.length) return [];
  const changes = named.map(({ inner, other }): NameChange => {
    return { from: own.blocks + layer(inner), to: base.blocks + layer(other!) };
  });
  return [[...changes, whole]];
}

/** The name that a layer has inside of the base's blocks; null where that is not certain. */
function layerIn(
  inner: string,
  tensors: ReadonlyMap<string, ChangedTensor>,
  own: readonly string[],
  base: Blocks<string>,
): string | null {
  const same = base.get(inner);
  if (same !== undefined) return fitsAll(tensors, same) ? inner : null;
  const fitting = [...base].filter(([, others]) => fitsAll(tensors, others)).map(([name]) => name);
  const role = roleOf(inner);
  // A layer of that shape that is called after nothing known could be the one.
  const unknown = fitting.filter((name) => roleOf(name) === null && !own.includes(name));
  if (role === null || unknown.length > 0) return null;
  return nearest(
    inner,
    fitting.filter((name) => roleOf(name) === role),
  );
}

function fitsAll(
  tensors: ReadonlyMap<string, ChangedTensor>,
  others: ReadonlyMap<string, string>,
): boolean {
  return [...tensors].every(([index, { fits }]) => {
    const other = others.get(index);
    return other !== undefined && fits(other);
  });
}

/** Of several layers of one role, as in self and cross attention, the one named most alike. */
function nearest(inner: string, names: readonly string[]): string | null {
  const parts = inner.split('.');
  const shared = (name: string): number =>
    name.split('.').filter((part) => parts.includes(part)).length;
  const [best, second] = [...names].sort((a, b) => shared(b) - shared(a));
  if (best === undefined) return null;
  return second === undefined || shared(best) > shared(second) ? best : null;
}

/** Names by their blocks, without those that have no number. */
function blocksOf<Tensor>(named: Iterable<readonly [string, Tensor]>): Map<string, Blocks<Tensor>> {
  const all = new Map<string, Blocks<Tensor>>();
  for (const [name, tensor] of named) {
    const found = layerName(name);
    if (found === null) continue;
    const layers = all.get(found.blocks) ?? new Map<string, Map<string, Tensor>>();
    const tensors = layers.get(found.inner) ?? new Map<string, Tensor>();
    all.set(found.blocks, layers.set(found.inner, tensors.set(found.index, tensor)));
  }
  return all;
}

function layerName(name: string): LayerName | null {
  const parts = name.split('.');
  const last = parts.findLastIndex((part) => /^\d+$/.test(part));
  if (last < 0) return null;
  const before = parts.slice(0, last + 1);
  const index = before.filter((part) => /^\d+$/.test(part)).join('.');
  const blocks = before.map((part) => (/^\d+$/.test(part) ? '#.' : `${part}.`)).join('');
  return { blocks, inner: parts.slice(last + 1).join('.'), index };
}

/** A tensor's name without its own last part: `attention.query.`. */
function layer(inner: string): string {
  return inner.slice(0, inner.lastIndexOf('.') + 1);
}

function count(text: string, sign: string): number {
  return text.split(sign).length - 1;
}

/**
 * Whether the base has blocks of these numbers in which every tensor fits some layer: the same
 * kind of model, it may be, whose layers have other names.
 */
export function fitsSomeBlocks(tensors: readonly ChangedTensor[], base: BaseNames): boolean {
  if (tensors.some(({ name }) => layerName(name) === null)) return false;
  const ofBase = [...blocksOf(base.byKey).values()];
  return [...blocksOf(tensors.map((tensor) => [tensor.name, tensor] as const)).values()].every(
    (layers) =>
      ofBase.some((others) =>
        [...layers.values()].every((one) =>
          [...others.values()].some((other) => fitsAll(one, other)),
        ),
      ),
  );
}
