import { describe, expect, test } from 'vitest';
import { denseDelta } from '@/reference/low-rank-delta';
import { FLOAT_DTYPES } from '@/tensor/dtype';
import { factorsOf } from './factors';
import { copyOf, rowsOfPart, rowsOfProduct, runsOf } from './product-parts';
import { fakeProduct } from './products.fixture';

describe('rowsOfProduct', () => {
  test.each(FLOAT_DTYPES)('rows of a product are a product: %s', (dtype) => {
    for (const swapped of [false, true]) {
      const product = fakeProduct({ rows: 11, columns: 5, ranks: [3, 2], dtype, swapped });
      const part = rowsOfProduct(product, 4, 9);
      expect([part.rows, part.columns]).toEqual([5, 5]);
      expect(denseDelta(part)).toEqual(denseDelta(product).slice(4 * 5, 9 * 5));
    }
  });

  test('a copy has memory of its own, and no more than it needs', () => {
    const product = fakeProduct({ rows: 6, columns: 4, ranks: [2], swapped: true });
    const copies = factorsOf(copyOf(product));
    expect(denseDelta(copyOf(product))).toEqual(denseDelta(product));
    factorsOf(product).forEach(({ bytes }, i) => {
      expect(copies[i]!.bytes.buffer).not.toBe(bytes.buffer);
      expect(copies[i]!.bytes.buffer.byteLength).toBe(bytes.byteLength);
    });
  });
});

test('runs hold every product once, in order, and large ones alone', () => {
  const shaped = (rows: number, rank: number) => fakeProduct({ rows, columns: 4, ranks: [rank] });
  const [small, large] = [shaped(4, 1), shaped(4000, 40)];
  const runs = runsOf([large, large, small, small, large, small]);
  expect(runs).toEqual([[0], [1], [2, 3, 4], [5]]);
  expect(runsOf([])).toEqual([]);
});

test('parts of a weight are rows of about equal work, of any rank', () => {
  const rowsOf = (columns: number, rank: number) =>
    rowsOfPart(fakeProduct({ rows: 1, columns, ranks: [rank] }));
  expect(rowsOf(1024, 16)).toBe(2048);
  expect(rowsOf(1024, 64)).toBe(512);
  expect(rowsOf(1024, 0)).toBe(2 ** 15);
  expect(rowsOf(100_000, 64)).toBe(16);
});
