/** Householder QR in float64 (Golub and Van Loan, algorithm 5.2.1). */
import { column, type Columns, dot, zeros } from './svd';

/** Q with min(rows, columns) orthonormal columns, and R = Qᵀ A, upper trapezoidal. */
export interface Qr {
  readonly q: Columns;
  readonly r: Columns;
}

/** QR of any matrix; zero and dependent columns are legal. */
export function qr(matrix: Columns): Qr {
  const { rows, columns } = matrix;
  const steps = Math.min(rows, columns);
  const work = { ...matrix, data: matrix.data.slice() };
  const reflectors: Float64Array[] = [];
  for (let k = 0; k < steps; k++) {
    const v = reflectorOf(column(work, k).subarray(k));
    reflectors.push(v);
    for (let j = k; j < columns; j++) reflect(v, column(work, j).subarray(k));
  }
  const r = zeros(steps, columns);
  for (let j = 0; j < columns; j++) column(r, j).set(column(work, j).subarray(0, steps));
  const q = zeros(rows, steps);
  for (let k = 0; k < steps; k++) q.data[k * rows + k] = 1;
  for (let k = steps - 1; k >= 0; k--) {
    for (let j = k; j < steps; j++) reflect(reflectors[k]!, column(q, j).subarray(k));
  }
  return { q, r };
}

/** v of unit length with (I - 2 v vᵀ) x along the first axis; zero where x is. */
function reflectorOf(x: Float64Array): Float64Array {
  const v = x.slice();
  const norm = Math.sqrt(dot(x, x));
  v[0]! += x[0]! < 0 ? -norm : norm;
  const length = Math.sqrt(dot(v, v));
  return length === 0 ? v : v.map((value) => value / length);
}

function reflect(v: Float64Array, x: Float64Array): void {
  const twice = 2 * dot(v, x);
  for (let i = 0; i < x.length; i++) x[i]! -= twice * v[i]!;
}
