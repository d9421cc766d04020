/** Radix select over counts that threads made: thresholds of one selection, scope by scope. */
import { type Scope } from '@/tensor/engine';
import { ABOVE_EVERY_KEY, type Digit, type Thresholds } from './questions';

/** The first digit of a key, which the slider's histogram shows: 11 of its 31 bits. */
export const FIRST_DIGIT: Digit = { shift: 20, bins: 2048 };
const HALVES: readonly Digit[] = [
  { shift: 10, bins: 1024 },
  { shift: 0, bins: 1024 },
];
const JOINT: readonly Digit[] = [{ shift: 0, bins: 2 ** 20 }];

/**
 * Entries, for each selection made at once, from which global ones count their last 20 bits together:
 * that saves a pass over the data, at least 4 bytes an entry, and costs 4 MiB a thread and selection,
 * cleared and summed.
 */
export const JOINT_FROM = 2 ** 21;

/** The digits after the first. */
export function digitsOf(scope: Scope, elementCount: number, jointFrom: number): readonly Digit[] {
  return scope === 'global' && elementCount >= jointFrom ? JOINT : HALVES;
}

/** Finds for each scope of one selection the key at which it cuts. */
export class Search {
  readonly perTensor: boolean;
  /** The digits found so far, by scope; the whole thresholds in the end. */
  readonly keys: Uint32Array<ArrayBuffer>;
  readonly tieLimits: Float64Array<ArrayBuffer>;
  /** Entries still to keep among those that share a scope's digits, and how many share them. */
  readonly #remaining: Float64Array;
  readonly #sharing: Float64Array;

  constructor(
    scope: Scope,
    readonly keptPerScope: readonly number[],
  ) {
    this.perTensor = scope === 'tensor';
    this.keys = new Uint32Array(keptPerScope.length);
    this.tieLimits = new Float64Array(keptPerScope.length).fill(Infinity);
    this.#remaining = Float64Array.from(keptPerScope);
    this.#sharing = new Float64Array(keptPerScope.length).fill(Infinity);
  }

  /**
   * Picks of each scope the largest bin such that it and those above it hold the entries to keep.
   *
   * @param counts `bins` counts a scope, of keys that share its digits
   */
  refine({ bins }: Digit, counts: Uint32Array): void {
    for (let scope = 0; scope < this.keys.length; scope++) {
      let remaining = this.#remaining[scope]!;
      if (remaining === 0) continue;
      let bin = bins - 1;
      let count = counts[scope * bins + bin]!;
      while (count < remaining) {
        remaining -= count;
        count = counts[scope * bins + --bin]!;
      }
      this.#remaining[scope] = remaining;
      this.#sharing[scope] = count;
      this.keys[scope] = this.keys[scope]! * bins + bin;
    }
  }

  /** Some but not all entries at the threshold of this scope are kept, and the last is not found. */
  cutsTies(scope: number): boolean {
    const remaining = this.#remaining[scope]!;
    return remaining > 0 && remaining < this.#sharing[scope]!;
  }

  /** Any scope that cuts ties. */
  get hasTies(): boolean {
    return this.keys.some((_, scope) => this.cutsTies(scope));
  }

  /**
   * Takes note of ties in the next run of a scope.
   *
   * @returns which of them, counted from 1, is the last one kept; null where it comes later
   */
  pass(scope: number, ties: number): number | null {
    const remaining = this.#remaining[scope]!;
    if (ties >= remaining) return remaining;
    this.#remaining[scope]! -= ties;
    this.#sharing[scope]! -= ties;
    return null;
  }

  /** Ties up to this position of the scope are kept. */
  cut(scope: number, position: number): void {
    this.tieLimits[scope] = position;
    this.#sharing[scope] = this.#remaining[scope]!;
  }

  thresholds(): Thresholds {
    const keys = this.keys.map((key, scope) => (this.keptPerScope[scope] ? key : ABOVE_EVERY_KEY));
    const tieLimits = this.tieLimits.map((limit, s) => (this.keptPerScope[s] ? limit : -1));
    return { perTensor: this.perTensor, keys, tieLimits };
  }
}
