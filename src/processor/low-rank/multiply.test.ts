import { describe, expect, test } from 'vitest';
import { entriesOf, fakeRows, mostApart, naiveProduct, naiveTranspose } from './matrices.fixture';
import { gram, times, transposedTimes } from './multiply';
import { zeroRows } from './rows';

/** Rows of both, columns of a, columns of b: tiles with and without edges, and more than one copy. */
const SHAPES = [
  [1, 1, 1],
  [3, 2, 5],
  [7, 4, 8],
  [8, 13, 3],
  [33, 6, 9],
  [2050, 9, 33],
] as const;

describe.each(SHAPES)('%i x %i and %i columns', (rows, one, other) => {
  const [a, b] = [fakeRows(1, rows, one), fakeRows(2, rows, other)];

  test('aᵀ b', () => {
    const wanted = naiveProduct(naiveTranspose(entriesOf(a)), entriesOf(b));
    expect(mostApart(entriesOf(transposedTimes(a, b)), wanted)).toBeLessThan(1e-13);
  });

  test('aᵀ a is symmetric, bit for bit', () => {
    const found = entriesOf(gram(a));
    const wanted = naiveProduct(naiveTranspose(entriesOf(a)), entriesOf(a));
    expect(mostApart(found, wanted)).toBeLessThan(1e-13);
    expect(found).toEqual(naiveTranspose(found));
  });

  test('a b, whole and by rows, to the same bits; padding stays zero', () => {
    const factor = fakeRows(3, one, other);
    const whole = times(a, factor);
    const wanted = naiveProduct(entriesOf(a), entriesOf(factor));
    expect(mostApart(entriesOf(whole), wanted)).toBeLessThan(1e-13);
    for (let first = 0; first < rows; first += 3) {
      const { stride } = a;
      const some = { ...zeroRows(Math.min(3, rows - first), one), stride };
      some.data.set(a.data.subarray(first * stride, (first + some.rows) * stride));
      const [from, count] = [first * whole.stride, some.rows * whole.stride];
      const found = times(some, factor).data.subarray(0, count);
      expect(found).toEqual(whole.data.subarray(from, from + count));
    }
    const padding = [...whole.data.keys()].filter(
      (at) => at % whole.stride >= other || at >= rows * whole.stride,
    );
    expect(padding.filter((at) => whole.data[at] !== 0)).toEqual([]);
  });
});
