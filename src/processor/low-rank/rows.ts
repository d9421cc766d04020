/** Dense float64 matrices, row by row, padded so that loops over tiles have no edges. */
import { zeros } from './room';

export interface Rows {
  readonly rows: number;
  readonly columns: number;
  /** Elements from one row to the next: `columns`, up to a multiple of four. */
  readonly stride: number;
  /** Zeros in all padding. */
  readonly data: Float64Array<ArrayBuffer>;
}

/** A matrix of zeros. */
export function zeroRows(rows: number, columns: number): Rows {
  const stride = Math.ceil(columns / 4) * 4;
  return { rows, columns, stride, data: zeros(rows * stride) };
}

export function transposed({ rows, columns, stride, data }: Rows): Rows {
  const out = zeroRows(columns, rows);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) out.data[j * out.stride + i] = data[i * stride + j]!;
  }
  return out;
}

/** Multiplies column k by `factors[k]`, in place. */
export function scaleColumns({ rows, columns, stride, data }: Rows, factors: Float64Array): void {
  for (let i = 0; i < rows; i++) {
    const first = i * stride;
    for (let k = 0; k < columns; k++) data[first + k]! *= factors[k]!;
  }
}

/** Multiplies row i by `factors[i]`, in place. */
export function scaleRows({ rows, columns, stride, data }: Rows, factors: Float64Array): void {
  for (let i = 0; i < rows; i++) {
    const first = i * stride;
    for (let k = 0; k < columns; k++) data[first + k]! *= factors[i]!;
  }
}

/** The columns `kept`, in that order. */
export function selectColumns({ rows, stride, data }: Rows, kept: readonly number[]): Rows {
  const out = zeroRows(rows, kept.length);
  for (let i = 0; i < rows; i++) {
    kept.forEach((from, to) => (out.data[i * out.stride + to] = data[i * stride + from]!));
  }
  return out;
}

/** Sum of squares of each column. */
export function squaredNorms({ rows, columns, stride, data }: Rows): Float64Array<ArrayBuffer> {
  const sums = new Float64Array(columns);
  for (let i = 0; i < rows; i++) {
    const first = i * stride;
    for (let k = 0; k < columns; k++) sums[k]! += data[first + k]! ** 2;
  }
  return sums;
}
