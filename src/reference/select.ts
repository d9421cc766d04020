/** Float64 twin of shaders/select_*.wgsl: the exact k-th largest key, and where ties are cut. */
import { ABOVE_EVERY_KEY, countDigits, DIGITS, type Digit } from './histogram';

/** What decides, without looking at any other entry, whether an entry is kept. */
export interface ScopeThreshold {
  /** Keys above it are kept, keys below are not. */
  readonly key: number;
  /** Entries at the threshold are kept up to this position in the scope, itself included. */
  readonly tieLimit: number;
}

/** Keys of a scope, part by part in order, from its first entry to its last. */
export type KeyParts = () => Iterable<Uint32Array>;

/** Finds the exact top k of a scope: radix select, then ties by lowest position. */
export function selectScope(parts: KeyParts, k: number): ScopeThreshold {
  if (k === 0) return { key: ABOVE_EVERY_KEY, tieLimit: -1 };
  let key = 0;
  let remaining = k;
  for (const digit of DIGITS) {
    const counts = new Uint32Array(digit.bins);
    for (const keys of parts()) countDigits(counts, keys, digit, key);
    const picked = pickDigit(counts, remaining, digit);
    key = key * digit.bins + picked.bin;
    remaining -= picked.above;
  }
  return { key, tieLimit: tieLimit(parts, key, remaining) };
}

/** The largest bin such that it and the bins above it hold at least `remaining` entries. */
function pickDigit(counts: Uint32Array, remaining: number, digit: Digit) {
  let above = 0;
  let bin = digit.bins - 1;
  while (above + counts[bin]! < remaining) above += counts[bin--]!;
  return { bin, above };
}

/** Position of the `rank`-th entry (1 = first) whose key equals `key`. */
function tieLimit(parts: KeyParts, key: number, rank: number): number {
  let position = 0;
  let seen = 0;
  for (const keys of parts()) {
    for (let i = 0; i < keys.length; i++) {
      if (keys[i] === key && ++seen === rank) return position + i;
    }
    position += keys.length;
  }
  return position;
}

/** Whether the entry with this key, at this position of its scope, is kept. */
export function isKept(threshold: ScopeThreshold, key: number, position: number): boolean {
  return key > threshold.key || (key === threshold.key && position <= threshold.tieLimit);
}
