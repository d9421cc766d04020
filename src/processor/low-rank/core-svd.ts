/** SVD of a small dense matrix: pivoted QR, then one-sided Jacobi on R's transpose. */
import { type Columns, dotOf, toColumns, toRows, zeroColumns } from './columns';
import { applyQ, pivotedQr, type PivotedQr } from './householder';
import { orthogonalize, type Sweeps } from './jacobi';
import { times } from './multiply';
import { type Rows } from './rows';

/** U diag(σ) Vᵀ with as many triplets as are not rounding, σ descending. */
export interface CoreSvd {
  readonly u: Columns;
  readonly sigma: Float64Array<ArrayBuffer>;
  readonly v: Columns;
  readonly sweeps: Sweeps;
}

/**
 * Cosine above which two columns are rotated. Float32 vectors are orthogonal to 2^-24; a rotation
 * squares what is left, so this saves the last of the sweeps that float64 would allow.
 */
const TOLERANCE = 2 ** -30;
/**
 * The first singular value over the last, up to which U is C V / σ: that multiplies what is left
 * between columns of V, and so asks more of them. Half of the rotations' work is saved, and Q's.
 */
const NARROW = 2 ** 14;

/**
 * The columns of Rᵀ come in falling lengths and nearly orthogonal, which saves Jacobi sweeps (Drmač
 * and Veselić 2008). It finds Rᵀ J = W Σ, and so C = Q R = (Q J) Σ Wᵀ.
 *
 * @param core p x q of any shape
 */
export function coreSvd(core: Rows): CoreSvd {
  const qr = pivotedQr(toColumns(core));
  const { v, sigma, sweeps, rotations } = isNarrow(qr)
    ? turned(qr, qr.r.columns, TOLERANCE / NARROW)
    : turned(qr, qr.r.columns + qr.rank, TOLERANCE);
  const u = rotations === null ? quotient(core, v, sigma) : applyQ(qr, rotations);
  return { u, sigma, v, sweeps };
}

/** Whether R's diagonal, which falls about as the singular values do, falls little. */
function isNarrow({ rank, reflectors: { rows, data } }: PivotedQr): boolean {
  const diagonal = (k: number): number => Math.abs(data[k * rows + k]!);
  return rank > 0 && diagonal(0) <= NARROW * diagonal(rank - 1);
}

/**
 * Rᵀ J = W Σ, in the order of Σ.
 *
 * @param height of the columns that are turned: below Rᵀ, the identity gathers J where there is room
 */
function turned({ rank, r }: PivotedQr, height: number, tolerance: number) {
  const length = r.columns;
  const x = zeroColumns(height, rank);
  for (let k = 0; k < rank; k++) {
    for (let i = 0; i < length; i++) x.data[k * height + i] = r.data[i * rank + k]!;
    if (height > length) x.data[k * height + length + k] = 1;
  }
  const sweeps = orthogonalize(x, length, tolerance);
  const norms = Float64Array.from({ length: rank }, (_, k) =>
    Math.sqrt(dotOf(x.data, k * height, x.data, k * height, length)),
  );
  const order = [...norms.keys()].sort((a, b) => norms[b]! - norms[a]! || a - b);
  const [rotations, v] = [zeroColumns(height - length, rank), zeroColumns(length, rank)];
  order.forEach((from, to) => {
    const column = x.data.subarray(from * height, (from + 1) * height);
    rotations.data.set(column.subarray(length), to * rotations.rows);
    for (let i = 0; i < length; i++) v.data[to * length + i] = column[i]! / norms[from]!;
  });
  const sigma = Float64Array.from(order, (from) => norms[from]!);
  return { v, sigma, sweeps, rotations: height > length ? rotations : null };
}

/** C V / σ. */
function quotient(core: Rows, v: Columns, sigma: Float64Array): Columns {
  const u = toColumns(times(core, toRows(v)));
  for (let k = 0; k < u.columns; k++) {
    for (let i = 0; i < u.rows; i++) u.data[k * u.rows + i]! /= sigma[k]!;
  }
  return u;
}
