import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PeruError } from '@/core/errors';
import { keptCount } from '@/tensor/kept-count';

describe('keptCount', () => {
  test('halves round up, on the decimal that was typed', () => {
    expect(keptCount(0.1, 500)).toBe(1); // 0.5
    expect(keptCount(0.1, 499)).toBe(0);
    expect(keptCount(50, 3)).toBe(2); // 1.5
    expect(keptCount(1.1, 4_500)).toBe(50); // 49.5; in binary 49.50000000000001 or 49.49…
    expect(keptCount(0.29, 50)).toBe(0); // 0.145
    expect(keptCount(5e-7, 100_000_000)).toBe(1); // 0.5
  });

  test('nothing at 0, everything at 100', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 31 - 1), (n) => {
        expect(keptCount(0, n)).toBe(0);
        expect(keptCount(100, n)).toBe(n);
      }),
    );
  });

  test('agrees with exact thousandths', () => {
    fc.assert(
      fc.property(fc.nat(100_000), fc.nat(1_000_000), (thousandths, n) => {
        const exact = (BigInt(thousandths) * BigInt(n) * 2n + 100_000n) / 200_000n;
        expect(keptCount(Number(`${thousandths}e-3`), n)).toBe(Number(exact));
      }),
    );
  });

  test.each([-1, 100.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses %s', (percent) => {
    expect(() => keptCount(percent, 10)).toThrow(PeruError);
  });
});
