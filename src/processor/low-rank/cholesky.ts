/** Cholesky factors of small Gram matrices, with a bound on what they lose. */
import { addMultiple } from './columns';
import { type Rows, zeroRows } from './rows';

/** RᵀR = G, R upper triangular. */
export interface CholeskyFactors {
  readonly r: Rows;
  readonly inverse: Rows;
}

/**
 * Factors and their inverse: columns³ / 3 multiply-adds.
 *
 * @param g symmetric, its diagonal about 1
 * @param mostInverse the largest sum of squares that R⁻¹ may have: the trace of G⁻¹, and so at least
 *   the square of R's condition, over the number of columns
 * @returns null where the columns that G was made of are too near to dependent, or hold NaN
 */
export function choleskyOf(g: Rows, mostInverse: number): CholeskyFactors | null {
  const r = triangleOf(g);
  if (r === null) return null;
  const inverse = inverseOf(r);
  let sum = 0;
  for (const value of inverse.data) sum += value * value;
  return sum <= mostInverse ? { r, inverse } : null;
}

/** Row by row: what G's row has, less what the rows before it make up. */
function triangleOf(g: Rows): Rows | null {
  const { columns, stride } = g;
  const r = zeroRows(columns, columns);
  const { data } = r;
  for (let i = 0; i < columns; i++) {
    const row = i * stride;
    data.set(g.data.subarray(row + i, row + columns), row + i);
    for (let k = 0; k < i; k++) {
      const above = k * stride;
      addMultiple(-data[above + i]!, data, above + i, data, row + i, columns - i);
    }
    const squared = data[row + i]!;
    if (!(squared > 0)) return null;
    const diagonal = Math.sqrt(squared);
    for (let j = i; j < columns; j++) data[row + j]! /= diagonal;
  }
  return r;
}

/** Solves R X = I from the last row up. */
function inverseOf({ columns, stride, data }: Rows): Rows {
  const out = zeroRows(columns, columns);
  for (let i = columns - 1; i >= 0; i--) {
    const row = i * stride;
    out.data[row + i] = 1;
    for (let k = i + 1; k < columns; k++) {
      const below = k * stride;
      addMultiple(-data[row + k]!, out.data, below + k, out.data, row + k, columns - k);
    }
    const diagonal = data[row + i]!;
    for (let j = i; j < columns; j++) out.data[row + j]! /= diagonal;
  }
  return out;
}
