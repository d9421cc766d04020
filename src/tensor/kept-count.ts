/** How many entries "m percent" means, exactly. */
import { PeruError } from '@/core/errors';

/**
 * round(percent / 100 * elementCount), halves up, computed on the decimal the visitor sees:
 * 0.1 % of 500 entries is exactly half an entry, although 0.1 has no exact binary form.
 *
 * @param percent 0..100
 * @throws PeruError `internal` outside that range
 */
export function keptCount(percent: number, elementCount: number): number {
  if (!(percent >= 0 && percent <= 100)) {
    throw new PeruError(
      'internal',
      `The share of kept entries is ${percent} %, outside 0 to 100.`,
      'Choose a share between 0 and 100 percent.',
    );
  }
  const [mantissa = '0', exponent = '0'] = String(percent).split('e');
  const [whole = '0', fraction = ''] = mantissa.split('.');
  const digits = BigInt(whole + fraction);
  // percent = digits x 10^-decimals
  const decimals = fraction.length - Number(exponent);
  const denominator = 100n * 10n ** BigInt(Math.max(decimals, 0));
  const numerator = digits * BigInt(elementCount) * 10n ** BigInt(Math.max(-decimals, 0));
  return Number((2n * numerator + denominator) / (2n * denominator));
}
