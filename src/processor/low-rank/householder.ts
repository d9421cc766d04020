/**
 * Householder QR with column pivoting (Businger and Golub 1965), which finds the rank as it goes:
 * nothing in it depends on how far the columns are from dependent.
 */
import { addMultiple, type Columns, dotOf, swapColumns, zeroColumns } from './columns';

/**
 * Columns that are this part of the largest, once those before them are taken out, are nothing but
 * rounding: sums over a few thousand rows leave about 2^-50. Float32 would keep 2^-24.
 */
const ROUNDOFF = 2 ** -46;

/** A = Q R, of rank at most min(rows, columns). */
export interface PivotedQr {
  readonly rank: number;
  /** rank x columns, its columns those of A; triangular in the order in which they were taken. */
  readonly r: Columns;
  /**
   * Column k holds, below row k, the rest of v = (0, .., 0, 1, rest), whose reflection is
   * I - betas[k] v vᵀ. Q is the product of all, the first one leftmost.
   */
  readonly reflectors: Columns;
  readonly betas: Float64Array;
}

/**
 * QR of any matrix: rows x columns² multiply-adds, and half as many to choose pivots by norms that
 * are not updated but taken anew, so that none cancels.
 *
 * @param matrix becomes the reflectors
 */
export function pivotedQr(matrix: Columns): PivotedQr {
  const { rows, columns, data } = matrix;
  const order = Int32Array.from({ length: columns }, (_, k) => k);
  const betas = new Float64Array(Math.min(rows, columns));
  let [rank, least] = [0, 0];
  for (; rank < betas.length; rank++) {
    const { column, norm } = largestFrom(matrix, rank);
    if (rank === 0) least = ROUNDOFF * norm;
    if (!(norm > least)) break;
    swapColumns(matrix, rank, column);
    [order[rank], order[column]] = [order[column]!, order[rank]!];
    betas[rank] = eliminate(matrix, rank, norm);
  }
  const r = zeroColumns(rank, columns);
  for (let k = 0; k < columns; k++) {
    const filled = data.subarray(k * rows, k * rows + Math.min(k + 1, rank));
    r.data.set(filled, order[k]! * rank);
  }
  return { rank, r, reflectors: matrix, betas };
}

/** Q w for w of `rank` rows: 2 x rows x rank x w.columns multiply-adds. */
export function applyQ({ rank, reflectors, betas }: PivotedQr, w: Columns): Columns {
  const { rows, data } = reflectors;
  const out = zeroColumns(rows, w.columns);
  for (let j = 0; j < w.columns; j++) {
    out.data.set(w.data.subarray(j * rank, (j + 1) * rank), j * rows);
  }
  for (let k = rank - 1; k >= 0; k--) {
    for (let j = 0; j < w.columns; j++) reflect(data, k * rows + k, betas[k]!, out, j, k);
  }
  return out;
}

/** The column from `first` on that is longest below row `first`. */
function largestFrom({ rows, columns, data }: Columns, first: number) {
  let [column, squared] = [first, -1];
  for (let k = first; k < columns; k++) {
    const at = k * rows + first;
    const sum = dotOf(data, at, data, at, rows - first);
    if (sum > squared) [column, squared] = [k, sum];
  }
  return { column, norm: Math.sqrt(squared) };
}

/** Makes column k zero below row k by a reflection, which the columns after it pass too. */
function eliminate(matrix: Columns, k: number, norm: number): number {
  const { rows, columns, data } = matrix;
  const at = k * rows + k;
  const diagonal = data[at]! < 0 ? norm : -norm;
  const head = data[at]! - diagonal;
  for (let i = at + 1; i < (k + 1) * rows; i++) data[i]! /= head;
  const beta = -head / diagonal;
  for (let j = k + 1; j < columns; j++) reflect(data, at, beta, matrix, j, k);
  data[at] = diagonal;
  return beta;
}

/** Column j of x, from row k on, through the reflection whose v lies in `v` from `at` on. */
function reflect(
  v: Float64Array,
  at: number,
  beta: number,
  x: Columns,
  j: number,
  k: number,
): void {
  const head = j * x.rows + k;
  const rest = x.rows - k - 1;
  const twice = beta * (x.data[head]! + dotOf(v, at + 1, x.data, head + 1, rest));
  x.data[head]! -= twice;
  addMultiple(-twice, v, at + 1, x.data, head + 1, rest);
}
