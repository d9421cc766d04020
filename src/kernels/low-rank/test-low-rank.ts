/** For the tests of low-rank products: made-up factors, and what a factorisation must satisfy. */
import { type FloatDtype } from '@/tensor/dtype';
import { encodeFloats } from '@/tensor/half';
import {
  type BalancedFactors,
  type Factor,
  type LowRankProduct,
  type LowRankTerm,
} from '@/tensor/low-rank';
import { normal, seeded } from '@/kernels/test-group';

/** Unit roundoff of float32. */
const ROUNDOFF = 2 ** -24;

/**
 * What float32 may lose, relative to the norm: a vector passes through about 2 R reflectors and
 * 10 R rotations, each of which rounds it a few times by one roundoff, in random directions: the
 * root of 12 R, times 4 for those few and for dot products, doubled.
 */
export function tolerance(columns: number): number {
  return 32 * Math.sqrt(Math.max(columns, 4)) * ROUNDOFF;
}

export interface FakeTerm {
  readonly rank: number;
  readonly coefficient?: number;
  readonly dtype?: FloatDtype;
  /** Entry of vector k: standard normal unless given. */
  readonly left?: (k: number, i: number, random: () => number) => number;
  readonly right?: (k: number, i: number, random: () => number) => number;
  /** As PEFT has them (left columns, right rows) unless set. */
  readonly swapped?: boolean;
}

/** A product of made-up terms; the same seed gives the same. */
export function fakeProduct(
  seed: number,
  rows: number,
  columns: number,
  terms: readonly FakeTerm[],
): LowRankProduct {
  const random = seeded(seed);
  return {
    name: `${rows} x ${columns}, seed ${seed}`,
    rows,
    columns,
    terms: terms.map((term) => fakeTerm(random, rows, columns, term)),
  };
}

function fakeTerm(
  random: () => number,
  rows: number,
  columns: number,
  { rank, coefficient = 1, dtype = 'F32', left, right, swapped = false }: FakeTerm,
): LowRankTerm {
  const drawn = (_k: number, _i: number, source: () => number): number => normal(source);
  const [one, other] = swapped ? (['rows', 'columns'] as const) : (['columns', 'rows'] as const);
  return {
    rank,
    coefficient,
    left: factor(dtype, rows, rank, one, (k, i) => (left ?? drawn)(k, i, random)),
    right: factor(dtype, columns, rank, other, (k, i) => (right ?? drawn)(k, i, random)),
  };
}

/** `valueOf` is asked vector by vector. */
export function factor(
  dtype: FloatDtype,
  length: number,
  rank: number,
  vectors: 'rows' | 'columns',
  valueOf: (k: number, i: number) => number,
): Factor {
  const values = new Float32Array(length * rank);
  for (let k = 0; k < rank; k++) {
    for (let i = 0; i < length; i++) {
      values[vectors === 'rows' ? k * length + i : i * rank + k] = valueOf(k, i);
    }
  }
  return { bytes: encodeFloats(values, dtype), dtype, vectors };
}

export function frobenius(values: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i]!));
  if (largest === 0) return 0;
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i]! / largest) ** 2;
  return largest * Math.sqrt(sum);
}

/** b a in float64, [rows, columns]. */
export function productOf({ a, b, rank }: BalancedFactors, rows: number, columns: number) {
  const out = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < rank; k++) {
      for (let j = 0; j < columns; j++) {
        out[i * columns + j]! += b[i * rank + k]! * a[k * columns + j]!;
      }
    }
  }
  return out;
}

export function difference(x: ArrayLike<number>, y: ArrayLike<number>): Float64Array {
  return Float64Array.from(x, (value, i) => value - y[i]!);
}

/** Most that the vectors, divided by the root of their σ, are from orthonormal; σ = 0 left out. */
export function orthogonalityOf(factors: BalancedFactors, sigma: ArrayLike<number>): number {
  const { a, b, rank } = factors;
  const columns = rank === 0 ? 0 : a.length / rank;
  const rows = rank === 0 ? 0 : b.length / rank;
  let worst = 0;
  for (let p = 0; p < rank; p++) {
    for (let q = p; q < rank && sigma[q]! > 0; q++) {
      let [left, right] = [0, 0];
      const scale = Math.sqrt(sigma[p]!) * Math.sqrt(sigma[q]!);
      for (let i = 0; i < rows; i++) left += b[i * rank + p]! * (b[i * rank + q]! / scale);
      for (let j = 0; j < columns; j++) {
        right += a[p * columns + j]! * (a[q * columns + j]! / scale);
      }
      const wanted = p === q ? 1 : 0;
      worst = Math.max(worst, Math.abs(left - wanted), Math.abs(right - wanted));
    }
  }
  return worst;
}

/** Of each column of b, the entry with the largest magnitude, the first of equals. */
export function leadingEntries({ b, rank }: BalancedFactors): number[] {
  return Array.from({ length: rank }, (_, k) => {
    let largest = 0;
    for (let i = k; i < b.length; i += rank) {
      if (Math.abs(b[i]!) > Math.abs(largest)) largest = b[i]!;
    }
    return largest;
  });
}
