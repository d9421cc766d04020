import { expect, test } from 'vitest';
import { denseDelta } from '@/reference/low-rank-delta';
import { addProduct } from './add-product';
import { fakeProduct } from './products.fixture';
import { rowsOfProduct } from './product-parts';

test.each([
  [1, 1],
  [16, 4],
  [17, 5],
  [50, 33],
])('%i x %i: every sum is rounded once, whatever rows are added together', (rows, columns) => {
  const product = fakeProduct({ rows, columns, ranks: [3, 4], dtype: 'F16' });
  const base = Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i));
  const whole = base.slice();
  addProduct(product, whole);
  const delta = denseDelta(product);
  // Only sums that lie between two floats may fall to either side.
  whole.forEach((value, i) => {
    expect(Math.abs(value - base[i]! - delta[i]!)).toBeLessThan(
      1.01 * 2 ** -24 * Math.abs(value) + 1e-15,
    );
  });
  const cut = Math.floor(rows / 3);
  const [above, below] = [base.slice(0, cut * columns), base.slice(cut * columns)];
  addProduct(rowsOfProduct(product, 0, cut), above);
  addProduct(rowsOfProduct(product, cut, rows), below);
  expect([...above, ...below]).toEqual([...whole]);
});

test('terms of rank 0 add nothing', () => {
  const weights = Float32Array.of(1, 2, 3);
  addProduct(fakeProduct({ rows: 3, columns: 1, ranks: [0] }), weights);
  expect([...weights]).toEqual([1, 2, 3]);
});
