/** Calls about low-rank products; they hold nothing between calls. */
import { transfer } from 'comlink';
import { type LowRankProduct } from '@/tensor/low-rank';
import { addProduct } from '../low-rank/add-product';
import { factorizeProduct, type FactorizedProduct } from '../low-rank/factorize-product';

export function lowRankCalls() {
  return {
    factorizeProducts(products: readonly LowRankProduct[]): FactorizedProduct[] {
      const found = products.map(factorizeProduct);
      const buffers = found.flatMap(({ left, right }) => [left.buffer, right.buffer]);
      return transfer(found, [...new Set(buffers)]);
    },
    /** @returns the base given, [product.rows, product.columns], with Δ added */
    addProduct(
      product: LowRankProduct,
      base: Float32Array<ArrayBuffer>,
    ): Float32Array<ArrayBuffer> {
      addProduct(product, base);
      return transfer(base, [base.buffer]);
    },
  };
}
