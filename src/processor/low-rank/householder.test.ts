import { describe, expect, test } from 'vitest';
import { type Columns, zeroColumns } from './columns';
import { applyQ, pivotedQr, type PivotedQr } from './householder';
import {
  entriesOf,
  fakeColumns,
  mostApart,
  naiveProduct,
  naiveTranspose,
  offOrthonormal,
} from './matrices.fixture';

function factorsOf(matrix: Columns): { qr: PivotedQr; q: number[][]; r: number[][] } {
  const qr = pivotedQr({ ...matrix, data: matrix.data.slice() });
  const identity = zeroColumns(qr.rank, qr.rank);
  for (let k = 0; k < qr.rank; k++) identity.data[k * qr.rank + k] = 1;
  return { qr, q: entriesOf(applyQ(qr, identity)), r: entriesOf(qr.r) };
}

describe('pivotedQr', () => {
  test.each([
    [1, 1],
    [1, 7],
    [9, 1],
    [17, 11],
    [11, 17],
    [30, 30],
  ])('%i x %i: Q R is the matrix, Q orthonormal, R triangular as taken', (rows, columns) => {
    const matrix = fakeColumns(rows + columns, rows, columns);
    const { qr, q, r } = factorsOf(matrix);
    expect(qr.rank).toBe(Math.min(rows, columns));
    expect(mostApart(naiveProduct(q, r), entriesOf(matrix))).toBeLessThan(1e-13);
    expect(offOrthonormal(q)).toBeLessThan(1e-14);
    // As many entries as its place in the order; the diagonal falls.
    const lengths = naiveTranspose(r).map((column) => column.findLastIndex((v) => v !== 0) + 1);
    expect(lengths.sort((a, b) => a - b)).toEqual(lengths.map((_, k) => Math.min(k + 1, qr.rank)));
    const diagonal = r.map((row, k) => Math.abs(row[taken(r)[k]!]!));
    expect(diagonal).toEqual([...diagonal].sort((a, b) => b - a));
  });

  test('the rank of dependent and zero columns, however they are scaled', () => {
    for (const scale of [1e-30, 1, 1e30]) {
      const matrix = fakeColumns(5, 20, 8, (value, i, k) =>
        k === 3 ? 0 : k > 4 ? scale * Math.sin(i * (k - 4)) : scale * value,
      );
      // Column 7 becomes a sum of two others.
      for (let i = 0; i < 20; i++) matrix.data[7 * 20 + i] = matrix.data[i]! - matrix.data[20 + i]!;
      const { qr, q, r } = factorsOf(matrix);
      expect(qr.rank).toBe(6);
      expect(mostApart(naiveProduct(q, r), entriesOf(matrix))).toBeLessThan(1e-13 * scale);
    }
  });

  test('zeros and NaN have rank 0', () => {
    expect(pivotedQr(fakeColumns(1, 5, 4, () => 0)).rank).toBe(0);
    expect(pivotedQr(fakeColumns(1, 5, 4, () => NaN)).rank).toBe(0);
  });
});

/** Index of the column that was taken k-th: the one with k + 1 entries; of several, any. */
function taken(r: number[][]): number[] {
  const columns = naiveTranspose(r);
  return r.map((_, k) => {
    const at = columns.findIndex((column) => column.findLastIndex((value) => value !== 0) === k);
    return at;
  });
}
