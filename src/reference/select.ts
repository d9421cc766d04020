/**
 * Float64 twin of shaders/select_*.wgsl: the exact k-th largest key of a scope, and where ties are
 * cut. Keys come run by run, in order, once a digit and once for the ties; none are kept.
 */
import { ABOVE_EVERY_KEY, countDigits, type Digit } from './histogram';

/** What decides, without looking at any other entry, whether an entry is kept. */
export interface ScopeThreshold {
  /** Keys above it are kept, keys below are not. */
  readonly key: number;
  /** Entries at the threshold are kept up to this position in the scope, itself included. */
  readonly tieLimit: number;
}

/** Radix select over one scope, then ties by lowest position. */
export class ScopeSearch {
  /** The digits found so far; the whole threshold in the end. */
  private key = 0;
  /** Entries still to keep among those that share these digits, and how many share them. */
  private remaining: number;
  private sharing = Infinity;
  private counts = new Uint32Array(0);
  private tieLimit = Infinity;

  /** @param k entries to keep */
  constructor(k: number) {
    this.remaining = k;
  }

  /** Starts a digit. */
  start({ bins }: Digit): void {
    this.counts = new Uint32Array(bins);
  }

  count(keys: Uint32Array, digit: Digit): void {
    if (this.remaining > 0) countDigits(this.counts, keys, digit, this.key);
  }

  /** Picks the largest bin such that it and the bins above it hold the entries still to keep. */
  finish({ bins }: Digit): void {
    if (this.remaining === 0) return;
    let bin = bins - 1;
    while (this.counts[bin]! < this.remaining) this.remaining -= this.counts[bin--]!;
    this.sharing = this.counts[bin]!;
    this.key = this.key * bins + bin;
  }

  /** Some but not all entries at the threshold are kept, and the last of those is not found yet. */
  get cutsTies(): boolean {
    return this.remaining > 0 && this.remaining < this.sharing;
  }

  /**
   * Looks for the last kept tie in a run.
   *
   * @param first position of the run's first entry in the scope
   */
  cut(keys: Uint32Array, first: number): void {
    for (let i = 0; i < keys.length && this.cutsTies; i++) {
      if (keys[i] !== this.key) continue;
      if (this.remaining === 1) {
        this.tieLimit = first + i;
        this.sharing = 1;
        return;
      }
      this.remaining--;
      this.sharing--;
    }
  }

  threshold(): ScopeThreshold {
    if (this.remaining === 0) return { key: ABOVE_EVERY_KEY, tieLimit: -1 };
    return { key: this.key, tieLimit: this.tieLimit };
  }
}

/** Whether the entry with this key, at this position of its scope, is kept. */
export function isKept(threshold: ScopeThreshold, key: number, position: number): boolean {
  return key > threshold.key || (key === threshold.key && position <= threshold.tieLimit);
}
