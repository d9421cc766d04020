/** The dense matrix of a low-rank product, in float64: the oracle of whatever avoids forming it. */
import { decodeFloats } from '@/tensor/half';
import { type Factor, type LowRankProduct } from '@/tensor/low-rank';

/**
 * Δ = sum_k c_k L_k R_kᵀ, accumulated in float64, terms and vectors in order.
 *
 * @returns rows x columns elements, row-major
 */
export function denseDelta({ rows, columns, terms }: LowRankProduct): Float64Array<ArrayBuffer> {
  const delta = new Float64Array(rows * columns);
  for (const { rank, coefficient, left, right } of terms) {
    const l = factorVectors(left, rows, rank);
    const r = factorVectors(right, columns, rank);
    for (let k = 0; k < rank; k++) {
      for (let i = 0; i < rows; i++) {
        const scaled = coefficient * l[k * rows + i]!;
        for (let j = 0; j < columns; j++) delta[i * columns + j]! += scaled * r[k * columns + j]!;
      }
    }
  }
  return delta;
}

/** The factor's vectors one after another: element i of vector k at k * length + i. */
export function factorVectors(
  { bytes, dtype, vectors }: Factor,
  length: number,
  rank: number,
): Float64Array<ArrayBuffer> {
  const values = decodeFloats(bytes, dtype);
  if (vectors === 'rows') return Float64Array.from(values);
  const out = new Float64Array(length * rank);
  for (let i = 0; i < length; i++) {
    for (let k = 0; k < rank; k++) out[k * length + i] = values[i * rank + k]!;
  }
  return out;
}
