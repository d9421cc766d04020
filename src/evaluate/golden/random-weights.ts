/**
 * Weights made from a tensor's name and an element's index, the same bits as numpy makes of them
 * (scripts/golden_real_shapes.py): models of true size need not be stored.
 */

/** How the values of the tensors with a name like this are spread. */
export interface RandomRule {
  /** Regular expression. */
  readonly pattern: string;
  readonly mean: number;
  /** Standard deviation. */
  readonly std?: number;
  /** Standard deviation x sqrt(length of a row); where there is no `std`. */
  readonly gain?: number;
}

const [M1, M2, GOLDEN] = [0x21f0aaad, 0x735a2d97, 0x9e3779b9];

/** Evenly spread values by the first rule that fits: mean + scale k, k a signed 24-bit integer. */
export function randomValues(
  name: string,
  shape: readonly number[],
  rules: readonly RandomRule[],
): Float32Array {
  const rule = rules.find(({ pattern }) => new RegExp(pattern).test(name))!;
  const std = rule.std ?? rule.gain! / Math.sqrt(product(shape.slice(1)));
  const scale = Math.fround((std * Math.sqrt(3)) / 2 ** 23);
  const mean = Math.fround(rule.mean);
  const key = nameKey(name);
  const values = new Float32Array(product(shape));
  const count = values.length;
  for (let i = 0; i < count; i++) {
    values[i] = mean + Math.fround(scale * (hash(i, key) >> 8));
  }
  return values;
}

/** Integers from `low` to below `high`. */
export function randomIds(name: string, count: number, low: number, high: number): Int32Array {
  const key = nameKey(name);
  return Int32Array.from({ length: count }, (_, i) => low + ((hash(i, key) >>> 0) % (high - low)));
}

/** 32 bits: a multiplicative hash of the index with the name's key in its middle. */
function hash(index: number, key: number): number {
  let x = Math.imul(index, GOLDEN);
  x = Math.imul(x ^ (x >>> 16), M1) ^ key;
  x = Math.imul(x ^ (x >>> 15), M2);
  return x ^ (x >>> 15);
}

/** FNV-1a. */
function nameKey(name: string): number {
  let key = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) key = Math.imul(key ^ byte, 0x01000193);
  return key;
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((a, b) => a * b, 1);
}
