/** base + Δ for some rows of a weight: rows x columns x R multiply-adds. */
import { type LowRankProduct } from '@/tensor/low-rank';
import { coefficientsOf, sideRows } from './factors';
import { timesByRows } from './multiply';
import { inRoom } from './room';
import { scaleColumns, transposed } from './rows';

/**
 * Δ's entries are summed in float64, terms and vectors in order, and rounded once with the base.
 *
 * @param weights [product.rows, product.columns] row-major: the base, overwritten by base + Δ
 */
export function addProduct(product: LowRankProduct, weights: Float32Array): void {
  inRoom(() => {
    add(product, weights);
  });
}

function add(product: LowRankProduct, weights: Float32Array): void {
  const { columns } = product;
  const left = sideRows(product, 'left');
  scaleColumns(left, coefficientsOf(product));
  const right = transposed(sideRows(product, 'right'));
  timesByRows(left, right, (firstRow, sums) => {
    for (let from = 0, to = firstRow * columns; from < sums.length; from += right.stride) {
      for (let j = 0; j < columns; j++) weights[to++]! += sums[from + j]!;
    }
  });
}
