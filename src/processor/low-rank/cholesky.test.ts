import { describe, expect, test } from 'vitest';
import { choleskyOf } from './cholesky';
import { entriesOf, fakeRows, mostApart, naiveProduct, naiveTranspose } from './matrices.fixture';
import { gram } from './multiply';

const identity = (size: number): number[][] =>
  Array.from({ length: size }, (_, i) => Array.from({ length: size }, (_, j) => +(i === j)));

describe('choleskyOf', () => {
  test.each([1, 2, 5, 16])('%i columns: RᵀR = G, R R⁻¹ = I, both triangular', (columns) => {
    const g = gram(fakeRows(columns, 40, columns, (value) => value / Math.sqrt(40)));
    const found = choleskyOf(g, 1e3)!;
    const [r, inverse] = [entriesOf(found.r), entriesOf(found.inverse)];
    expect(mostApart(naiveProduct(naiveTranspose(r), r), entriesOf(g))).toBeLessThan(1e-14);
    expect(mostApart(naiveProduct(r, inverse), identity(columns))).toBeLessThan(1e-13);
    const below = [r, inverse].flatMap((matrix) => matrix.flatMap((row, i) => row.slice(0, i)));
    expect(below.filter((value) => value !== 0)).toEqual([]);
  });

  test('the bound is on the sum of squares of R⁻¹', () => {
    // Two unit vectors at a cosine of 0.6: R = [[1, 0.6], [0, 0.8]], R⁻¹ = [[1, -0.75], [0, 1.25]].
    const g = gram(fakeRows(0, 2, 2, (_, i, k) => [1, 0.6, 0, 0.8][2 * i + k]!));
    const sum = 1 + 0.75 ** 2 + 1.25 ** 2;
    expect(choleskyOf(g, sum * 1.001)).not.toBeNull();
    expect(choleskyOf(g, sum * 0.999)).toBeNull();
  });

  test('dependent columns, and NaN, have no factors', () => {
    expect(choleskyOf(gram(fakeRows(1, 9, 3, (value, _, k) => (k === 1 ? 0 : value))), 1e9)).toBe(
      null,
    );
    expect(choleskyOf(gram(fakeRows(1, 9, 3, (_, i) => Math.sin(i))), 1e9)).toBe(null);
    expect(choleskyOf(gram(fakeRows(1, 9, 3, () => NaN)), 1e9)).toBe(null);
  });
});
