/** For the tests of the processor's small matrices: made-up ones, and naive sums over them. */
import { type Columns, toColumns, toRows } from './columns';
import { type Rows, zeroRows } from './rows';

/** Entry (i, k), from one in [-1, 1). */
type Shape = (drawn: number, i: number, k: number) => number;

/** Number i of a quasi-random sequence in [-1, 1). */
export function drawn(seed: number, i: number): number {
  return 2 * ((0.754_877_666 * seed + i * 0.618_033_988_75 + i * i * 0.414_213_562) % 1) - 1;
}

export function fakeRows(
  seed: number,
  rows: number,
  columns: number,
  shape: Shape = (value) => value,
): Rows {
  const out = zeroRows(rows, columns);
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < columns; k++) {
      out.data[i * out.stride + k] = shape(drawn(seed, i * columns + k), i, k);
    }
  }
  return out;
}

export function fakeColumns(...made: Parameters<typeof fakeRows>): Columns {
  return toColumns(fakeRows(...made));
}

/** Row by row, without padding. */
export function entriesOf(matrix: Rows | Columns): number[][] {
  const { rows, columns, stride, data } = 'stride' in matrix ? matrix : toRows(matrix);
  return Array.from({ length: rows }, (_, i) => [
    ...data.subarray(i * stride, i * stride + columns),
  ]);
}

export function naiveProduct(a: number[][], b: number[][]): number[][] {
  const columns = b[0]?.length ?? 0;
  return a.map((row) =>
    Array.from({ length: columns }, (_, j) =>
      row.reduce((sum, value, k) => sum + value * b[k]![j]!, 0),
    ),
  );
}

export function naiveTranspose(a: number[][]): number[][] {
  return (a[0] ?? []).map((_, j) => a.map((row) => row[j]!));
}

/** Most that two matrices of one shape differ by; NaN where either holds it. */
export function mostApart(a: number[][], b: number[][]): number {
  if (a.length !== b.length) return Infinity;
  return Math.max(0, ...a.flatMap((row, i) => row.map((value, j) => Math.abs(value - b[i]![j]!))));
}

/** Most that aᵀ a is from I. */
export function offOrthonormal(a: number[][]): number {
  const product = naiveProduct(naiveTranspose(a), a);
  return mostApart(
    product,
    product.map((row, i) => row.map((_, j) => (i === j ? 1 : 0))),
  );
}
