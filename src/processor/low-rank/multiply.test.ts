import { describe, expect, test } from 'vitest';
import { entriesOf, fakeRows, mostApart, naiveProduct, naiveTranspose } from './matrices.fixture';
import { gram, panelsOf, times, timesRows, transposedTimes } from './multiply';
import { zeroRows } from './rows';

/** Rows of both, columns of a, columns of b: tiles of 2 x 4 with and without edges. */
const SHAPES = [
  [1, 1, 1],
  [3, 2, 5],
  [7, 4, 8],
  [8, 13, 3],
  [33, 6, 9],
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
    const panels = panelsOf(factor);
    for (let firstRow = 0; firstRow < rows; firstRow += 2) {
      const out = zeroRows(2, other);
      timesRows({ a, firstRow, endRow: Math.min(rows, firstRow + 2), panels, out });
      const rest = whole.data.subarray(firstRow * whole.stride, (firstRow + 2) * whole.stride);
      expect([...out.data]).toEqual([...rest]);
    }
    const padding = [...whole.data.keys()].filter(
      (at) => at % whole.stride >= other || at >= rows * whole.stride,
    );
    expect(padding.filter((at) => whole.data[at] !== 0)).toEqual([]);
  });
});
