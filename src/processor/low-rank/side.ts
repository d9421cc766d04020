/** One side of a product, A = Q C: a basis of its columns, and what they are in it. */
import { toColumns, toRows } from './columns';
import { choleskyOf } from './cholesky';
import { applyQ, pivotedQr } from './householder';
import { gram, times } from './multiply';
import { type Rows } from './rows';

export interface Side {
  /** C: as many rows as Q has columns, a.columns columns. */
  readonly core: Rows;
  /** Q w. */
  readonly expand: (w: Rows) => Rows;
}

/**
 * Q = A R⁻¹ by Cholesky is orthonormal to about 2^-49 trace(G⁻¹), G the Gram matrix of A's columns:
 * this keeps it to 2^-28, a sixteenth of what float32 rounds vectors by. Factors of adapters are far
 * below it; merged ones whose tasks began from one A may not be.
 */
const MOST_INVERSE = 2 ** 21;

/**
 * By Cholesky, rows x columns² / 2 multiply-adds and twice that to expand `columns` vectors, in
 * tiles; where columns are near to dependent, by Householder, three times as many and at half the
 * speed. A side that is wider than high is its own core.
 *
 * @param a its columns of about unit length, none zero; kept
 */
export function sideOf(a: Rows): Side {
  if (a.rows <= a.columns) return { core: a, expand: (w) => w };
  const cholesky = choleskyOf(gram(a), MOST_INVERSE);
  if (cholesky === null) return byReflections(a);
  const { r, inverse } = cholesky;
  return { core: r, expand: (w) => times(a, times(inverse, w)) };
}

function byReflections(a: Rows): Side {
  const qr = pivotedQr(toColumns(a));
  return { core: toRows(qr.r), expand: (w) => toRows(applyQ(qr, toColumns(w))) };
}
