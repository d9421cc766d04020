/** z of a two-sided 95 % interval of the normal distribution. */
export const Z_95 = 1.959963984540054;

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/**
 * Wilson's 95 % score interval of a proportion, both ends in 0..1 (E. B. Wilson, JASA 22, 1927).
 * Unlike the normal approximation it stays inside 0..1 and has width at 0 and n of n.
 *
 * @param correct successes, 0..n
 * @param n trials; with none, the interval is all of 0..1
 */
export function wilsonInterval(correct: number, n: number): Interval {
  if (n <= 0) return { low: 0, high: 1 };
  const share = correct / n;
  const z2 = Z_95 * Z_95;
  const scale = 1 + z2 / n;
  const middle = (share + z2 / (2 * n)) / scale;
  const half = (Z_95 / scale) * Math.sqrt((share * (1 - share)) / n + z2 / (4 * n * n));
  return {
    low: correct <= 0 ? 0 : Math.max(0, middle - half),
    high: correct >= n ? 1 : Math.min(1, middle + half),
  };
}
