/** A product as L W Rᵀ: vectors of about unit length, and a diagonal W that holds all scales. */
import { type LowRankProduct } from '@/tensor/low-rank';
import { coefficientsOf, sideRows } from './factors';
import { type Rows, scaleColumns, selectColumns, squaredNorms } from './rows';

export interface ScaledSides {
  readonly left: Rows;
  readonly right: Rows;
  /** None is 0; some are not finite where factors hold NaN or Inf. */
  readonly weights: Float64Array<ArrayBuffer>;
}

/**
 * Columns are scaled by powers of two, and so exactly: however scales are spread over both factors,
 * neither side's condition suffers by them. What is multiplied by 0 is left out.
 */
export function scaledSides(product: LowRankProduct): ScaledSides {
  const [left, right] = [sideRows(product, 'left'), sideRows(product, 'right')];
  const [leftNorms, rightNorms] = [powersNear(left), powersNear(right)];
  const weights = coefficientsOf(product).map(
    (coefficient, k) => coefficient * leftNorms[k]! * rightNorms[k]!,
  );
  const kept = [...weights.keys()].filter((k) => weights[k] !== 0);
  return {
    left: unitColumns(left, leftNorms, kept),
    right: unitColumns(right, rightNorms, kept),
    weights: Float64Array.from(kept, (k) => weights[k]!),
  };
}

/** A power of two near each column's length; 0 for columns of zeros. */
function powersNear(side: Rows): Float64Array<ArrayBuffer> {
  return squaredNorms(side).map((squared) => powerNear(Math.sqrt(squared)));
}

/** The power of two near a number that is not negative; 0, NaN and Infinity stay what they are. */
function powerNear(value: number): number {
  return value > 0 && value < Infinity ? 2 ** Math.round(Math.log2(value)) : value;
}

function unitColumns(side: Rows, norms: Float64Array, kept: readonly number[]): Rows {
  const chosen = kept.length === side.columns ? side : selectColumns(side, kept);
  scaleColumns(
    chosen,
    Float64Array.from(kept, (k) => 1 / norms[k]!),
  );
  return chosen;
}
