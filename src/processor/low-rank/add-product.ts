/** base + Δ for some rows of a weight: rows x columns x R multiply-adds. */
import { type LowRankProduct } from '@/tensor/low-rank';
import { coefficientsOf, sideRows } from './factors';
import { panelsOf, timesRows } from './multiply';
import { scaleColumns, transposed, zeroRows } from './rows';

/** Rows whose sums, in float64, stay in the cache until they are added. */
const ROWS_AT_ONCE = 16;

/**
 * Δ's entries are summed in float64, terms and vectors in order, and rounded once with the base.
 *
 * @param weights [product.rows, product.columns] row-major: the base, overwritten by base + Δ
 */
export function addProduct(product: LowRankProduct, weights: Float32Array): void {
  const { rows, columns } = product;
  const left = sideRows(product, 'left');
  scaleColumns(left, coefficientsOf(product));
  const panels = panelsOf(transposed(sideRows(product, 'right')));
  const sums = zeroRows(ROWS_AT_ONCE, columns);
  for (let firstRow = 0; firstRow < rows; firstRow += ROWS_AT_ONCE) {
    const endRow = Math.min(rows, firstRow + ROWS_AT_ONCE);
    timesRows({ a: left, firstRow, endRow, panels, out: sums });
    for (let i = firstRow; i < endRow; i++) {
      const [to, from] = [i * columns, (i - firstRow) * sums.stride];
      for (let j = 0; j < columns; j++) weights[to + j]! += sums.data[from + j]!;
    }
  }
}
