/**
 * Singular value decomposition in float64: one-sided Jacobi on whole columns (Hestenes 1958), one
 * pair after the other. On a dense matrix it is the oracle of the route over the small core.
 */

/** A matrix whose columns lie one after the other. */
export interface Columns {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float64Array<ArrayBuffer>;
}

/** U diag(σ) Vᵀ with min(rows, columns) triplets, σ descending. */
export interface Svd {
  readonly u: Columns;
  readonly sigma: Float64Array<ArrayBuffer>;
  readonly v: Columns;
  readonly sweeps: number;
}

/** Cosine above which two columns are rotated: a few times the roundoff of a dot product. */
const TOLERANCE = 2 ** -49;
const MAX_SWEEPS = 60;

/** A matrix of zeros. */
export function zeros(rows: number, columns: number): Columns {
  return { rows, columns, data: new Float64Array(rows * columns) };
}

export function column({ rows, data }: Columns, k: number): Float64Array<ArrayBuffer> {
  return data.subarray(k * rows, (k + 1) * rows);
}

export function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!;
  return sum;
}

export function transpose(matrix: Columns): Columns {
  const out = zeros(matrix.columns, matrix.rows);
  for (let j = 0; j < matrix.columns; j++) {
    const from = column(matrix, j);
    for (let i = 0; i < matrix.rows; i++) out.data[i * out.rows + j] = from[i]!;
  }
  return out;
}

/** SVD of any matrix. Columns of u and v whose σ is 0 may be zero. */
export function svd(matrix: Columns): Svd {
  if (matrix.rows >= matrix.columns) return svdOfTall(matrix);
  const { u, sigma, v, sweeps } = svdOfTall(transpose(matrix));
  return { u: v, sigma, v: u, sweeps };
}

function svdOfTall(matrix: Columns): Svd {
  const x = { ...matrix, data: matrix.data.slice() };
  const v = zeros(matrix.columns, matrix.columns);
  for (let k = 0; k < v.columns; k++) v.data[k * v.rows + k] = 1;
  let sweeps = 1;
  while (sweep(x, v) && sweeps < MAX_SWEEPS) sweeps++;
  return { ...sorted(x, v), sweeps };
}

/** One round over all pairs. @returns whether any was rotated */
function sweep(x: Columns, v: Columns): boolean {
  let rotated = false;
  for (let p = 0; p < x.columns; p++) {
    for (let q = p + 1; q < x.columns; q++) {
      const [one, other] = [column(x, p), column(x, q)];
      const pp = dot(one, one);
      const qq = dot(other, other);
      const pq = dot(one, other);
      if (!(Math.abs(pq) > TOLERANCE * Math.sqrt(pp) * Math.sqrt(qq))) continue;
      const zeta = (qq - pp) / (2 * pq);
      const tangent = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.hypot(1, zeta));
      const cosine = 1 / Math.hypot(1, tangent);
      rotate(one, other, cosine, cosine * tangent);
      rotate(column(v, p), column(v, q), cosine, cosine * tangent);
      rotated = true;
    }
  }
  return rotated;
}

function rotate(p: Float64Array, q: Float64Array, cosine: number, sine: number): void {
  for (let i = 0; i < p.length; i++) {
    const [x, y] = [p[i]!, q[i]!];
    p[i] = cosine * x - sine * y;
    q[i] = sine * x + cosine * y;
  }
}

function sorted(x: Columns, v: Columns): Omit<Svd, 'sweeps'> {
  const norms = Array.from({ length: x.columns }, (_, k) =>
    Math.sqrt(dot(column(x, k), column(x, k))),
  );
  const order = norms.map((_, k) => k).sort((a, b) => norms[b]! - norms[a]! || a - b);
  const [u, turned] = [zeros(x.rows, x.columns), zeros(v.rows, v.columns)];
  order.forEach((from, to) => {
    const norm = norms[from]!;
    column(u, to).set(column(x, from).map((value) => (norm === 0 ? 0 : value / norm)));
    column(turned, to).set(column(v, from));
  });
  return { u, sigma: Float64Array.from(order, (from) => norms[from]!), v: turned };
}
