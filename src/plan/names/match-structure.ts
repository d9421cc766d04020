/**
 * Matches tensors whose names differ by more than a prefix, as those of two versions of a library
 * do: `layers.3.attention.q_proj` where the base says `encoder.layer.3.attention.attention.query`.
 *
 * Modules that differ in indices alone are a family. Two families can be the same where they have as
 * many members, each with tensors of the same last names and shapes, in the order of their indices.
 * Of these, those are that alone share a role, or else a last name: within blocks of one path if they
 * can, else between any. A block matches whole or not at all: what leaves any of its modules open
 * is another model.
 */
import { roleOf } from './layer-roles';
import { areOtherTowers, type NamedShapes } from './name-prefix';
import { isEmbedding, isTokenHead } from '@/formats/checkpoint/token-tables';

/** Shapes of the tensors right in a module, by the last part of their names. */
type ModuleTensors = ReadonlyMap<string, readonly number[]>;

interface Family {
  /** The modules' path with `#` in the place of indices. */
  readonly path: string;
  /** Paths of the modules, by their indices. */
  readonly modules: readonly string[];
  /** Last parts of the names of each module's tensors. */
  readonly tensors: readonly (readonly string[])[];
  /** Equal where two families can be the same. */
  readonly signature: string;
}

/** @returns names of the task -> names of the base, for what can be matched beyond doubt */
export function matchStructure(base: NamedShapes, task: NamedShapes): ReadonlyMap<string, string> {
  const [here, there] = [families(task).filter(canBeTold), families(base).filter(canBeTold)];
  const baseFamilies = bySignature(there);
  const found = [...bySignature(here)].flatMap(([signature, some]) =>
    pairs(some, baseFamilies.get(signature) ?? []),
  );
  const matched = new Map<string, string>();
  for (const [one, other] of inWholeBlocks(found, here, there)) {
    one.modules.forEach((module, i) => {
      for (const last of one.tensors[i]!) {
        matched.set(`${module}.${last}`, `${other.modules[i]!}.${last}`);
      }
    });
  }
  return matched;
}

/** Pairs of blocks that have no other module, and single ones. */
function inWholeBlocks(
  found: readonly Pair[],
  here: readonly Family[],
  there: readonly Family[],
): readonly Pair[] {
  const sizes = [here, there].map((all) => countBy(all, blockOf));
  const shared = countBy(found, blocksOf);
  return found.filter((pair) => {
    const count = shared.get(blocksOf(pair));
    return pair.every((one, side) => !isInBlock(one) || count === sizes[side]!.get(blockOf(one)));
  });
}

function blockOf({ path }: Family): string {
  return path.slice(0, path.indexOf('#') + 1);
}

function blocksOf([one, other]: Pair): string {
  return `${blockOf(one)} ${blockOf(other)}`;
}

function countBy<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + 1);
  return counts;
}

type Pair = readonly [task: Family, base: Family];

/** What tells families apart, the most telling first. */
const KEYS: readonly ((family: Family) => string)[] = [
  (one) => `${blockOf(one)} ${parentOf(one)} ${calledAs(one)}`,
  (one) => `${blockOf(one)} ${calledAs(one)}`,
  (one) => one.path.slice(blockOf(one).length),
  (one) => `${parentOf(one)} ${calledAs(one)}`,
  calledAs,
];

function pairs(here: readonly Family[], there: readonly Family[]): readonly Pair[] {
  const found: Pair[] = [];
  for (const keyOf of KEYS) {
    const known = new Set<Family>(found.flat());
    const open = (all: readonly Family[]): Family[] => all.filter((one) => !known.has(one));
    found.push(...pairsBy(open(here), open(there), keyOf));
  }
  return found.filter(([one, other]) => !areOtherTowers({ from: one.path, to: other.path }));
}

/** Pairs of families whose key no other family of either side has. */
function pairsBy(
  here: readonly Family[],
  there: readonly Family[],
  keyOf: (family: Family) => string,
): Pair[] {
  const others = byUniqueKey(there, keyOf);
  return [...byUniqueKey(here, keyOf)].flatMap(([key, family]) => {
    const other = others.get(key);
    return other === undefined ? [] : [[family, other] as const];
  });
}

function byUniqueKey(
  families: readonly Family[],
  keyOf: (family: Family) => string,
): ReadonlyMap<string, Family> {
  const found = new Map<string, Family | null>();
  for (const family of families) {
    const key = keyOf(family);
    found.set(key, found.has(key) ? null : family);
  }
  return new Map([...found].flatMap(([key, one]) => (one === null ? [] : [[key, one] as const])));
}

/** Whether it is part of a block that repeats. */
function isInBlock({ path }: Family): boolean {
  return path.includes('#.');
}

/** What stands once in a model may be anything, such as two heads: only tables of tokens are told. */
function canBeTold(family: Family): boolean {
  return isInBlock(family) || tableRole(family.path) !== null;
}

function calledAs(family: Family): string {
  if (!isInBlock(family)) return tableRole(family.path) ?? '';
  const inBlock = family.path.slice(blockOf(family).length + 1);
  return roleOf(`${inBlock}.weight`) ?? inBlock.slice(inBlock.lastIndexOf('.') + 1);
}

/** Which table of tokens it is: what they are looked up in, or scored with. */
function tableRole(path: string): string | null {
  if (isTokenHead(`${path}.weight`)) return 'token head';
  return isEmbedding(`${path}.weight`) ? 'token embedding' : null;
}

function parentOf({ path }: Family): string {
  return path.split('.').at(-2) ?? '';
}

function families(shapes: NamedShapes): Family[] {
  const modules = tensorsByModule(shapes);
  const members = new Map<string, string[]>();
  for (const module of modules.keys()) {
    const path = module.replace(/(?<=^|\.)\d+(?=\.|$)/g, '#');
    const others = members.get(path);
    if (others === undefined) members.set(path, [module]);
    else others.push(module);
  }
  return [...members].map(([path, unsorted]) => {
    const sorted = unsorted.sort(byIndices);
    const signature = sorted.map((module) => signatureOf(modules.get(module)!)).join(' | ');
    const tensors = sorted.map((module) => [...modules.get(module)!.keys()]);
    return { path, modules: sorted, tensors, signature };
  });
}

function bySignature(families: readonly Family[]): ReadonlyMap<string, readonly Family[]> {
  const groups = new Map<string, Family[]>();
  for (const family of families) {
    const others = groups.get(family.signature);
    if (others === undefined) groups.set(family.signature, [family]);
    else others.push(family);
  }
  return groups;
}

function tensorsByModule(shapes: NamedShapes): ReadonlyMap<string, ModuleTensors> {
  const modules = new Map<string, Map<string, readonly number[]>>();
  for (const [name, shape] of shapes) {
    const dot = name.lastIndexOf('.');
    if (dot < 0) continue;
    const module = modules.get(name.slice(0, dot)) ?? new Map<string, readonly number[]>();
    modules.set(name.slice(0, dot), module.set(name.slice(dot + 1), shape));
  }
  return modules;
}

function signatureOf(tensors: ModuleTensors): string {
  return [...tensors]
    .map(([last, shape]) => `${last} ${String(shape)}`)
    .sort()
    .join(', ');
}

/** Layer 2 before layer 10. */
function byIndices(one: string, other: string): number {
  const [a, b] = [one, other].map((path) => path.split('.').filter((part) => /^\d+$/.test(part)));
  for (let i = 0; i < a!.length; i++) {
    const order = Number(a![i]) - Number(b![i]);
    if (order !== 0) return order;
  }
  return 0;
}
