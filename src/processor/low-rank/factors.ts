/** Factors as they lie in files, made matrices of float64. */
import { PeruError } from '@/core/errors';
import { bytesPerElement } from '@/tensor/dtype';
import { decodeFloats } from '@/tensor/half';
import { type Factor, type LowRankProduct } from '@/tensor/low-rank';
import { type Rows, zeroRows } from './rows';

/** Sum of the ranks of all terms. */
export function columnsOf({ terms }: LowRankProduct): number {
  return terms.reduce((sum, { rank }) => sum + rank, 0);
}

/** As many triplets as a product can have. */
export function tripletsOf(product: LowRankProduct): number {
  return Math.min(product.rows, product.columns, columnsOf(product));
}

export function factorsOf({ terms }: LowRankProduct): Factor[] {
  return terms.flatMap(({ left, right }) => [left, right]);
}

/** One side's vectors of all terms, side by side: [rows or columns, columnsOf(product)]. */
export function sideRows(product: LowRankProduct, side: 'left' | 'right'): Rows {
  const length = side === 'left' ? product.rows : product.columns;
  const out = zeroRows(length, columnsOf(product));
  let first = 0;
  for (const term of product.terms) {
    fill(out, first, term[side], term.rank);
    first += term.rank;
  }
  return out;
}

/** The coefficient of each column of `sideRows`. */
export function coefficientsOf({ terms }: LowRankProduct): Float64Array<ArrayBuffer> {
  return Float64Array.from(
    terms.flatMap(({ rank, coefficient }) => Array<number>(rank).fill(coefficient)),
  );
}

/** @throws PeruError `internal` for factors whose bytes are not those of their shape */
export function assertSound({ name, rows, columns, terms }: LowRankProduct): void {
  for (const { rank, left, right } of terms) {
    assertFactor(name, left, rows, rank);
    assertFactor(name, right, columns, rank);
  }
}

function assertFactor(name: string, { bytes, dtype }: Factor, length: number, rank: number): void {
  const expected = length * rank * bytesPerElement(dtype);
  if (bytes.byteLength === expected) return;
  throw new PeruError(
    'internal',
    `A factor for "${name}" has ${bytes.byteLength} bytes; ${length} x ${rank} ${dtype} take ${expected}.`,
    'Please report this fault in Peru.',
  );
}

/** Vectors that lie one after the other are taken eight at a time: as many as a line of the cache. */
const AT_ONCE = 8;

function fill(to: Rows, first: number, factor: Factor, rank: number): void {
  const { bytes, dtype, vectors } = factor;
  const { rows, stride, data } = to;
  if (vectors === 'columns') {
    const values = decodeFloats(bytes, dtype);
    for (let i = 0; i < rows; i++) {
      const [at, from] = [i * stride + first, i * rank];
      for (let k = 0; k < rank; k++) data[at + k] = values[from + k]!;
    }
    return;
  }
  const size = rows * bytesPerElement(dtype);
  for (let begin = 0; begin < rank; begin += AT_ONCE) {
    const count = Math.min(AT_ONCE, rank - begin);
    const values = decodeFloats(bytes.subarray(begin * size, (begin + count) * size), dtype);
    for (let i = 0; i < rows; i++) {
      const at = i * stride + first + begin;
      for (let k = 0, from = i; k < count; k++, from += rows) data[at + k] = values[from]!;
    }
  }
}
