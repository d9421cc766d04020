/** A group's factorised products: the singular values and factors that are asked of it. */
import {
  type BalancedFactors,
  type FactorizationReport,
  type LowRankProduct,
} from '@/tensor/low-rank';
import { type FactorizedProduct } from './factorize-product';

/** σ of `rank` triplets, zeros after those that are more than rounding. */
export function paddedSigma({ sigma }: FactorizedProduct, rank: number): Float32Array {
  const padded = new Float32Array(rank);
  padded.set(sigma);
  return padded;
}

/** The leading triplets as PEFT stores them; a triplet of σ = 0 is zeros. */
export function balancedFactorsOf(
  { rows, columns }: LowRankProduct,
  { sigma, left, right }: FactorizedProduct,
  rank: number,
): BalancedFactors {
  const found = Math.min(rank, sigma.length);
  const [a, b] = [new Float32Array(rank * columns), new Float32Array(rows * rank)];
  a.set(right.subarray(0, found * columns));
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < found; k++) b[i * rank + k] = left[k * rows + i]!;
  }
  return { rank, a, b };
}

/** The leading triplets as a product of one term, over the same memory. */
export function truncatedProduct(
  { name, rows, columns }: LowRankProduct,
  { sigma, left, right }: FactorizedProduct,
  rank: number,
): LowRankProduct {
  const found = Math.min(rank, sigma.length);
  const factor = (values: Float32Array<ArrayBuffer>, length: number) => ({
    bytes: new Uint8Array(values.buffer, values.byteOffset, 4 * found * length),
    ...({ dtype: 'F32', vectors: 'rows' } as const),
  });
  const sides = { left: factor(left, rows), right: factor(right, columns) };
  return { name, rows, columns, terms: [{ rank: found, coefficient: 1, ...sides }] };
}

export function byteLengthOf({ sigma, left, right }: FactorizedProduct): number {
  return sigma.byteLength + left.byteLength + right.byteLength;
}

/** The worst of all products; NaN where one has it. */
export function reportOf(all: readonly FactorizedProduct[]): FactorizationReport {
  let worst = { residual: 0, orthogonality: 0, sweeps: 0 };
  for (const { residual, orthogonality, sweeps } of all) {
    worst = {
      residual: Math.max(worst.residual, residual),
      orthogonality: Math.max(worst.orthogonality, orthogonality),
      sweeps: Math.max(worst.sweeps, sweeps),
    };
  }
  return { ...worst, dispatches: 0 };
}
