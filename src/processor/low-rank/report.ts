/** How good a factorisation is, measured on the vectors that are kept. */
import { gram, times, transposedTimes } from './multiply';
import { type Rows, scaleRows, zeroRows } from './rows';
import { type ScaledSides } from './scaled-sides';

/**
 * Most that an entry of UᵀU is from that of I: rows x columns² / 2 multiply-adds.
 *
 * @param vectors U diag(roots)
 */
export function orthogonalityOf(vectors: Rows, roots: Float64Array): number {
  const { data, stride, columns } = gram(vectors);
  let worst = 0;
  for (let p = 0; p < columns; p++) {
    for (let q = 0; q <= p; q++) {
      const product = data[p * stride + q]! / (roots[p]! * roots[q]!);
      worst = Math.max(worst, Math.abs(product - (p === q ? 1 : 0)));
    }
  }
  return worst;
}

/**
 * ‖Δ - u vᵀ‖ / ‖Δ‖ (Frobenius), estimated from what both do to the same four vectors of random signs
 * (Hutchinson 1990): four multiply-adds for each entry of the four matrices.
 */
export function residualOf({ left, right, weights }: ScaledSides, u: Rows, v: Rows): number {
  const signs = signRows(right.rows);
  const turned = transposedTimes(right, signs);
  scaleRows(turned, weights);
  const wanted = times(left, turned).data;
  const found = times(u, transposedTimes(v, signs)).data;
  let [error, norm] = [0, 0];
  for (let i = 0; i < wanted.length; i++) {
    error += (wanted[i]! - found[i]!) ** 2;
    norm += wanted[i]! ** 2;
  }
  return norm === 0 ? 0 : Math.sqrt(error / norm);
}

/** Four columns of 1 and -1, from bits of the row's hash (the finalizer of MurmurHash3). */
function signRows(rows: number): Rows {
  const out = zeroRows(rows, 4);
  for (let i = 0; i < rows; i++) {
    let hash = Math.imul((i + 1) ^ (i >>> 16), 0x85eb_ca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
    hash ^= hash >>> 16;
    for (let k = 0; k < 4; k++) out.data[4 * i + k] = (hash >>> (7 * k)) & 1 ? 1 : -1;
  }
  return out;
}
