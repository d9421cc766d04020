import { type Interval, Z_95 } from './wilson';

/**
 * 95 % interval of a rank correlation by Fisher's z transform, with the standard error of Bonett
 * and Wright (Psychometrika 65, 2000): atanh(rho) ± z sqrt((1 + rho²/2) / (n - 3)).
 * At rho = ±1 the transform is infinite and the interval is that point.
 *
 * @param rho Spearman's correlation, -1..1
 * @param n pairs; with three or fewer, the interval is all of -1..1
 */
export function spearmanInterval(rho: number, n: number): Interval {
  if (n <= 3) return { low: -1, high: 1 };
  const bounded = Math.min(1, Math.max(-1, rho));
  const half = Z_95 * Math.sqrt((1 + (bounded * bounded) / 2) / (n - 3));
  const middle = Math.atanh(bounded);
  return { low: Math.tanh(middle - half), high: Math.tanh(middle + half) };
}
