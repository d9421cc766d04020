/**
 * One-sided Jacobi (Hestenes 1958) on whole columns: rotates pairs until all are orthogonal. Columns
 * of very different lengths keep their own precision, since each test is relative to both.
 */
import { type Columns, dotOf } from './columns';

/**
 * Cosine above which two columns are rotated. Float32 vectors are orthogonal to 2^-24; a rotation
 * squares what is left, so this saves the last of the sweeps that float64 would allow.
 */
const TOLERANCE = 2 ** -30;
/** Random cores of rank 256 take 10. */
const MAX_SWEEPS = 60;

export interface Sweeps {
  readonly count: number;
  readonly converged: boolean;
}

/**
 * Makes the first `length` entries of all columns orthogonal by rotations of whole columns, so that
 * what lies below them takes part in every rotation. A pair takes `length` multiply-adds, and
 * 4 x rows where it is rotated.
 *
 * @param x changed in place
 */
export function orthogonalize(x: Columns, length: number): Sweeps {
  let count = 1;
  while (sweep(x, length)) {
    if (count === MAX_SWEEPS) return { count, converged: false };
    count++;
  }
  return { count, converged: true };
}

/** One round over all pairs. @returns whether any was rotated */
function sweep(x: Columns, length: number): boolean {
  const { rows, columns, data } = x;
  // Taken anew each sweep; rotations keep them up to date well enough to find the next angle, and a
  // sweep without any, which ends the search, has tested exact ones.
  const squares = Float64Array.from({ length: columns }, (_, k) =>
    dotOf(data, k * rows, data, k * rows, length),
  );
  let rotated = false;
  for (let p = 0; p < columns; p++) {
    for (let q = p + 1; q < columns; q++) {
      if (rotatePair(x, length, squares, p, q)) rotated = true;
    }
  }
  return rotated;
}

/** @param squares of the columns' first `length` entries; changed with them */
function rotatePair(
  { rows, data }: Columns,
  length: number,
  squares: Float64Array,
  p: number,
  q: number,
): boolean {
  const pq = dotOf(data, p * rows, data, q * rows, length);
  const pp = squares[p]!;
  const qq = squares[q]!;
  if (!(Math.abs(pq) > TOLERANCE * Math.sqrt(pp) * Math.sqrt(qq))) return false;
  const zeta = (qq - pp) / (2 * pq);
  const tangent = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta));
  const cosine = 1 / Math.sqrt(1 + tangent * tangent);
  squares[p] = Math.max(0, pp - tangent * pq);
  squares[q] = qq + tangent * pq;
  rotate(data, p * rows, q * rows, rows, cosine, cosine * tangent);
  return true;
}

function rotate(
  x: Float64Array,
  p: number,
  q: number,
  count: number,
  cosine: number,
  sine: number,
): void {
  const end = p + count;
  for (; p + 1 < end; p += 2, q += 2) {
    const p0 = x[p]!;
    const q0 = x[q]!;
    const p1 = x[p + 1]!;
    const q1 = x[q + 1]!;
    x[p] = cosine * p0 - sine * q0;
    x[q] = sine * p0 + cosine * q0;
    x[p + 1] = cosine * p1 - sine * q1;
    x[q + 1] = sine * p1 + cosine * q1;
  }
  if (p < end) {
    const p0 = x[p]!;
    const q0 = x[q]!;
    x[p] = cosine * p0 - sine * q0;
    x[q] = sine * p0 + cosine * q0;
  }
}
