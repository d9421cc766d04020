/** The factors of a truncated product as they are written, their signs fixed. */
import { type BalancedFactors } from '@/tensor/low-rank';

/** Vectors of one length. */
type Vectors = readonly Float32Array[];

/** Cuts columns apart that lie one after the other, each padded to a multiple of four floats. */
export function columnsFrom(padded: Float32Array, length: number, count: number): Vectors {
  const stride = Math.ceil(length / 4) * 4;
  return Array.from({ length: count }, (_, k) => padded.subarray(k * stride, k * stride + length));
}

/**
 * Of each pair of vectors, the entry of u with the largest magnitude (the first of equals) becomes
 * positive. Scaling is by a power of two: both factors stay those that the engine adds.
 *
 * @param left vectors u, times the root of their singular value
 * @param right the vectors v of the same triplets
 * @param scale of both
 */
export function balancedFrom(left: Vectors, right: Vectors, scale: number): BalancedFactors {
  const rank = left.length;
  const columns = right[0]?.length ?? 0;
  const a = new Float32Array(rank * columns);
  const b = new Float32Array(rank * (left[0]?.length ?? 0));
  left.forEach((u, k) => {
    const factor = signOf(u) * scale;
    right[k]!.forEach((value, j) => (a[k * columns + j] = factor * value));
    u.forEach((value, i) => (b[i * rank + k] = factor * value));
  });
  return { rank, a, b };
}

function signOf(u: Float32Array): 1 | -1 {
  let largest = 0;
  for (const value of u) if (Math.abs(value) > Math.abs(largest)) largest = value;
  return largest < 0 ? -1 : 1;
}
