/**
 * SVD of one low-rank product. Two sides of n rows and R columns take 3 n R² multiply-adds, n R² more
 * for orthogonality, 16 n R for the residual, and what Jacobi takes on a core of R columns.
 */
import { type LowRankProduct } from '@/tensor/low-rank';
import { balancedVectors } from './balanced-vectors';
import { toRows } from './columns';
import { coreSvd } from './core-svd';
import { times } from './multiply';
import { orthogonalityOf, residualOf } from './report';
import { inRoom } from './room';
import { type Rows, scaleColumns, scaleRows, transposed } from './rows';
import { scaledSides } from './scaled-sides';
import { sideOf } from './side';

/** The triplets of a product whose σ is more than rounding, and how good they are. */
export interface FactorizedProduct {
  /** Descending. */
  readonly sigma: Float32Array<ArrayBuffer>;
  /** U sqrt(S), [triplets, rows]; of each vector the largest entry (the first of equals) is positive. */
  readonly left: Float32Array<ArrayBuffer>;
  /** V sqrt(S), [triplets, columns]. */
  readonly right: Float32Array<ArrayBuffer>;
  /** As in `FactorizationReport`, for this product. */
  readonly residual: number;
  readonly orthogonality: number;
  readonly sweeps: number;
  readonly converged: boolean;
}

/** A product that holds NaN or Inf has as many triplets as its shape allows, all of them NaN. */
export function factorizeProduct(product: LowRankProduct): FactorizedProduct {
  return inRoom(() => factorize(product));
}

function factorize(product: LowRankProduct): FactorizedProduct {
  const sides = scaledSides(product);
  const { weights } = sides;
  if (!weights.every(Number.isFinite)) return undefinedTriplets(product);
  if (weights.length === 0) return withoutTriplets();
  const [left, right] = [sideOf(sides.left), sideOf(sides.right)];
  // Float64 holds squares of any products of float32.
  const weighted = transposed(right.core);
  scaleRows(weighted, weights);
  const core = coreSvd(times(left.core, weighted));
  const roots = core.sigma.map(Math.sqrt);
  const [u, v] = [core.u, core.v].map(toRows) as [Rows, Rows];
  scaleColumns(u, roots);
  scaleColumns(v, roots);
  const [longU, longV] = [left.expand(u), right.expand(v)];
  return {
    sigma: Float32Array.from(core.sigma),
    ...balancedVectors(longU, longV),
    residual: residualOf(sides, longU, longV),
    orthogonality: Math.max(orthogonalityOf(longU, roots), orthogonalityOf(longV, roots)),
    sweeps: core.sweeps.count,
    converged: core.sweeps.converged,
  };
}

function withoutTriplets(): FactorizedProduct {
  return {
    ...{ sigma: new Float32Array(0), left: new Float32Array(0), right: new Float32Array(0) },
    ...{ residual: 0, orthogonality: 0, sweeps: 0, converged: true },
  };
}

function undefinedTriplets({ rows, columns, terms }: LowRankProduct): FactorizedProduct {
  const rank = terms.reduce((sum, term) => sum + term.rank, 0);
  const triplets = Math.min(rows, columns, rank);
  const undefinedOf = (length: number) => new Float32Array(triplets * length).fill(NaN);
  return {
    sigma: undefinedOf(1),
    ...{ left: undefinedOf(rows), right: undefinedOf(columns) },
    ...{ residual: NaN, orthogonality: 0, sweeps: 0, converged: true },
  };
}
