/** SVD of a small dense matrix: pivoted QR, then one-sided Jacobi on R's transpose. */
import { type Columns, dotOf, zeroColumns } from './columns';
import { applyQ, pivotedQr } from './householder';
import { orthogonalize, type Sweeps } from './jacobi';

/** U diag(σ) Vᵀ with as many triplets as are not rounding, σ descending. */
export interface CoreSvd {
  readonly u: Columns;
  readonly sigma: Float64Array<ArrayBuffer>;
  readonly v: Columns;
  readonly sweeps: Sweeps;
}

/**
 * The columns of Rᵀ come in falling lengths and nearly orthogonal, which saves Jacobi sweeps (Drmač
 * and Veselić 2008). It finds Rᵀ J = W Σ, and so C = Q R = (Q J) Σ Wᵀ.
 *
 * @param core p x q of any shape; overwritten
 */
export function coreSvd(core: Columns): CoreSvd {
  const qr = pivotedQr(core);
  const { rank, r } = qr;
  const [length, height] = [core.columns, core.columns + rank];
  // Below each column of Rᵀ, one of the identity, which gathers the rotations.
  const x = zeroColumns(height, rank);
  for (let k = 0; k < rank; k++) {
    for (let i = 0; i < length; i++) x.data[k * height + i] = r.data[i * rank + k]!;
    x.data[k * height + length + k] = 1;
  }
  const sweeps = orthogonalize(x, length);
  const norms = Float64Array.from({ length: rank }, (_, k) =>
    Math.sqrt(dotOf(x.data, k * height, x.data, k * height, length)),
  );
  const order = [...norms.keys()].sort((a, b) => norms[b]! - norms[a]! || a - b);
  const [j, v] = [zeroColumns(rank, rank), zeroColumns(length, rank)];
  order.forEach((from, to) => {
    const column = x.data.subarray(from * height, (from + 1) * height);
    j.data.set(column.subarray(length), to * rank);
    for (let i = 0; i < length; i++) v.data[to * length + i] = column[i]! / norms[from]!;
  });
  return { u: applyQ(qr, j), sigma: Float64Array.from(order, (from) => norms[from]!), v, sweeps };
}
