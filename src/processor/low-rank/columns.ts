/** Dense float64 matrices, column by column, and what reflections and rotations do to columns. */
import { zeros } from './room';
import { type Rows, zeroRows } from './rows';

export interface Columns {
  readonly rows: number;
  readonly columns: number;
  /** Column k from k * rows on. */
  readonly data: Float64Array<ArrayBuffer>;
}

/** A matrix of zeros. */
export function zeroColumns(rows: number, columns: number): Columns {
  return { rows, columns, data: zeros(rows * columns) };
}

export function toColumns({ rows, columns, stride, data }: Rows): Columns {
  const out = zeroColumns(rows, columns);
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < columns; k++) out.data[k * rows + i] = data[i * stride + k]!;
  }
  return out;
}

export function toRows({ rows, columns, data }: Columns): Rows {
  const out = zeroRows(rows, columns);
  for (let k = 0; k < columns; k++) {
    for (let i = 0; i < rows; i++) out.data[i * out.stride + k] = data[k * rows + i]!;
  }
  return out;
}

export function swapColumns({ rows, data }: Columns, j: number, k: number): void {
  if (j === k) return;
  const [one, other] = [j * rows, k * rows];
  const kept = data.slice(one, one + rows);
  data.copyWithin(one, other, other + rows);
  data.set(kept, other);
}

/** Dot product of x[i, i + count) and y[j, j + count), in four sums. */
export function dotOf(
  x: Float64Array,
  i: number,
  y: Float64Array,
  j: number,
  count: number,
): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  const end = i + count;
  for (; i + 3 < end; i += 4, j += 4) {
    s0 += x[i]! * y[j]!;
    s1 += x[i + 1]! * y[j + 1]!;
    s2 += x[i + 2]! * y[j + 2]!;
    s3 += x[i + 3]! * y[j + 3]!;
  }
  for (; i < end; i++, j++) s0 += x[i]! * y[j]!;
  return s0 + s1 + (s2 + s3);
}

/** y[j, j + count) += factor * x[i, i + count) */
export function addMultiple(
  factor: number,
  x: Float64Array,
  i: number,
  y: Float64Array,
  j: number,
  count: number,
): void {
  for (const end = i + count; i < end; i++, j++) y[j]! += factor * x[i]!;
}
