/** The vectors that are kept: in float32, one after the other, their signs fixed. */
import { type Rows } from './rows';

const AT_ONCE = 8;

/** Of a product's triplets; see `FactorizedProduct`. */
export interface BalancedVectors {
  readonly left: Float32Array<ArrayBuffer>;
  readonly right: Float32Array<ArrayBuffer>;
}

/**
 * Both in float32, of each pair the entry of u with the largest magnitude, the first of equals,
 * positive.
 *
 * @param u U sqrt(S), [rows, triplets]; becomes what is returned, as does `v`
 * @param v V sqrt(S), [columns, triplets]
 */
export function balancedVectors(u: Rows, v: Rows): BalancedVectors {
  const signs = signsOf(u);
  return { left: signedColumns(u, signs), right: signedColumns(v, signs) };
}

function signsOf({ rows, columns, stride, data }: Rows): Float64Array {
  const largest = new Float64Array(columns);
  for (let i = 0; i < rows; i++) {
    const at = i * stride;
    for (let k = 0; k < columns; k++) {
      const value = Math.fround(data[at + k]!);
      if (Math.abs(value) > Math.abs(largest[k]!)) largest[k] = value;
    }
  }
  return largest.map((value) => (value < 0 ? -1 : 1));
}

function signedColumns(
  { rows, columns, stride, data }: Rows,
  signs: Float64Array,
): Float32Array<ArrayBuffer> {
  const out = new Float32Array(rows * columns);
  // A few columns at a time: each writes to a place of its own.
  for (let first = 0; first < columns; first += AT_ONCE) {
    const end = Math.min(columns, first + AT_ONCE);
    for (let i = 0; i < rows; i++) {
      const at = i * stride;
      for (let k = first; k < end; k++) {
        const value = Math.fround(signs[k]! * data[at + k]!);
        data[at + k] = value;
        out[k * rows + i] = value;
      }
    }
  }
  return out;
}
