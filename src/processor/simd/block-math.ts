/**
 * One thread's memory for the block at hand, and the loops over it (assembly/block.ts). What lies in
 * a region is there until the next call that writes to it.
 */
import { type FloatDtype } from '@/tensor/dtype';
import { BLOCK_ELEMENTS } from '../parts/blocks';
import base64 from './assembly/block.ts?assembly';
import { type Assembly, exportsOf, growTo } from './instance';

/** What assembly/block.ts exports. */
interface Loops extends Assembly {
  widen(dtype: number, from: number, to: number, count: number): void;
  narrow(dtype: number, from: number, to: number, count: number): void;
  subtract(a: number, b: number, to: number, count: number): void;
  add(a: number, b: number, to: number, count: number): void;
  addScaled(a: number, b: number, sums: number, count: number, coefficient: number): void;
  countKey(values: number, count: number, key: number): number;
  countDigits(values: number, count: number, shift: number, counts: number, bins: number): void;
  listByPrefix(values: number, count: number, shift: number, prefix: number, list: number): number;
  listAbove(values: number, start: number, end: number, threshold: number, list: number): number;
  energy(values: number, count: number): number;
  countSpecialHalves(halves: number, count: number, exponent: number): number;
  countSpecialFloats(values: number, count: number): number;
}

/** Stored elements of one dtype. */
export type Stored =
  | { readonly dtype: 'F32'; readonly values: Float32Array<ArrayBuffer> }
  | { readonly dtype: 'F16' | 'BF16'; readonly values: Uint16Array<ArrayBuffer> };

const CODE = { F16: 1, BF16: 2 } as const;
const EXPONENT = { F16: 0x7c00, BF16: 0x7f80 } as const;

const REGION_BYTES = 4 * BLOCK_ELEMENTS;
/** The first page is left to the module itself. */
const [CENTERS, TASKS, DELTAS, SUMS, HALVES, LIST] = [1, 2, 3, 4, 5, 6].map(
  (page) => page * REGION_BYTES,
) as [number, number, number, number, number, number];

export class BlockMath {
  /** Task vector of the block at hand, and the same as bits. */
  readonly u: Float32Array;
  readonly bits: Uint32Array;
  readonly centers: Float32Array;
  readonly #loops: Loops;
  readonly #memory: ArrayBuffer;
  readonly #sums: Float32Array;
  readonly #halves: Uint16Array;
  readonly #list: Uint32Array;

  constructor() {
    this.#loops = exportsOf(base64) as unknown as Loops;
    growTo(this.#loops.memory, LIST + REGION_BYTES);
    this.#memory = this.#loops.memory.buffer;
    this.u = new Float32Array(this.#memory, DELTAS, BLOCK_ELEMENTS);
    this.bits = new Uint32Array(this.#memory, DELTAS, BLOCK_ELEMENTS);
    this.centers = new Float32Array(this.#memory, CENTERS, BLOCK_ELEMENTS);
    this.#sums = new Float32Array(this.#memory, SUMS, BLOCK_ELEMENTS);
    this.#halves = new Uint16Array(this.#memory, HALVES, BLOCK_ELEMENTS);
    this.#list = new Uint32Array(this.#memory, LIST, BLOCK_ELEMENTS);
  }

  /** u = task - center, one float32 subtraction an entry; `centers` are those of the block. */
  subtract(task: Stored, center: Stored, start: number, count: number): void {
    this.#load(center, start, count, CENTERS);
    this.#load(task, start, count, TASKS);
    this.#loops.subtract(TASKS, CENTERS, DELTAS, count);
  }

  /**
   * base + sum_t c_t (task_t - base), summed in float32 in task order, rounded once to the dtype of
   * `merged`.
   */
  mergeLinear(
    merged: Stored,
    base: Stored,
    tasks: readonly Stored[],
    coefficients: readonly number[],
    start: number,
    count: number,
  ): void {
    this.#sums.fill(0, 0, count);
    this.#load(base, start, count, CENTERS);
    tasks.forEach((task, t) => {
      this.#load(task, start, count, TASKS);
      this.#loops.addScaled(TASKS, CENTERS, SUMS, count, coefficients[t]!);
    });
    this.#loops.add(CENTERS, SUMS, SUMS, count);
    this.#store(merged, start, count);
  }

  /**
   * centers + u as `dtype` stores it, one float32 addition an entry. Valid until the next merge.
   */
  sums(dtype: FloatDtype, count: number): Float32Array {
    let stored = DELTAS;
    if (dtype !== 'F32') {
      this.#loops.narrow(CODE[dtype], DELTAS, HALVES, count);
      this.#loops.widen(CODE[dtype], HALVES, TASKS, count);
      stored = TASKS;
    }
    this.#loops.add(CENTERS, stored, SUMS, count);
    return this.#sums;
  }

  /** Float32 values of a run, into `out` from its start. */
  widen(stored: Stored, start: number, count: number, out: Float32Array): void {
    this.#load(stored, start, count, CENTERS);
    out.set(this.centers.subarray(0, count));
  }

  /** Entries of u whose key is this one. */
  countKey(count: number, key: number): number {
    return this.#loops.countKey(DELTAS, count, key);
  }

  /** Entries of u by the bits of their key from `shift` on; valid until the next list. */
  countDigits(count: number, shift: number, bins: number): Uint32Array {
    this.#loops.countDigits(DELTAS, count, shift, LIST, bins);
    return this.#list.subarray(0, bins);
  }

  /** Keys of u whose bits from `shift` on are `prefix`, in order; valid until the next list. */
  keysByPrefix(count: number, shift: number, prefix: number): Uint32Array {
    return this.#list.subarray(0, this.#loops.listByPrefix(DELTAS, count, shift, prefix, LIST));
  }

  /**
   * Indices of the entries of u that are kept: those with larger keys, and with this one before
   * `tiesEnd`. Valid until the next list.
   *
   * @param key a threshold; above every key: none is kept
   */
  keptIndices(count: number, key: number, tiesEnd: number): Uint32Array {
    const limit = Math.min(key, MAGNITUDE);
    const middle = key > MAGNITUDE ? 0 : Math.max(0, Math.min(count, tiesEnd));
    const ties = this.#loops.listAbove(DELTAS, 0, middle, limit - 1, LIST);
    const others = this.#loops.listAbove(DELTAS, middle, count, limit, LIST + 4 * ties);
    return this.#list.subarray(0, ties + others);
  }

  /** Sum of squares of u, in float64. */
  energy(count: number): number {
    return this.#loops.energy(DELTAS, count);
  }

  /** NaN and infinities in a run, by their exponent bits. */
  countNonFinite(stored: Stored, start: number, count: number): number {
    if (stored.dtype === 'F32') {
      this.#load(stored, start, count, CENTERS);
      return this.#loops.countSpecialFloats(CENTERS, count);
    }
    this.#halves.set(stored.values.subarray(start, start + count));
    return this.#loops.countSpecialHalves(HALVES, count, EXPONENT[stored.dtype]);
  }

  #load(stored: Stored, start: number, count: number, to: number): void {
    if (stored.dtype === 'F32') {
      new Float32Array(this.#memory, to, count).set(stored.values.subarray(start, start + count));
      return;
    }
    this.#halves.set(stored.values.subarray(start, start + count));
    this.#loops.widen(CODE[stored.dtype], HALVES, to, count);
  }

  #store(stored: Stored, start: number, count: number): void {
    if (stored.dtype === 'F32') {
      stored.values.set(this.#sums.subarray(0, count), start);
      return;
    }
    this.#loops.narrow(CODE[stored.dtype], SUMS, HALVES, count);
    stored.values.set(this.#halves.subarray(0, count), start);
  }
}

/** The 31 magnitude bits of a float32: they order as magnitudes do, NaN above infinity. */
export const MAGNITUDE = 0x7fff_ffff;
