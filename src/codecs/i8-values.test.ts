import fc from 'fast-check';
import { expect, test } from 'vitest';
import { I8_VALUES } from './i8-values';

const i8Scale = I8_VALUES.scaleOf!;

test('the step is a float32 next to largest / 127, its inverse next to 127 / largest', () => {
  fc.assert(
    fc.property(
      fc.float({ min: Math.fround(1e-35), noNaN: true, noDefaultInfinity: true }),
      (largest) => {
        const { inverse, step } = i8Scale(largest);
        expect([inverse, step]).toEqual([inverse, step].map(Math.fround));
        expect(Math.abs((step * 127) / largest - 1)).toBeLessThanOrEqual(2 ** -24);
        expect(Math.abs((inverse * largest) / 127 - 1)).toBeLessThanOrEqual(2 ** -24);
      },
    ),
  );
});

test('where the step is not a normal float32 there is none', () => {
  const least = 127 * 2 ** -126;
  expect(i8Scale(least)).toEqual({ inverse: 2 ** 126, step: 2 ** -126 });
  for (const largest of [0, 2 ** -149, least * (1 - 2 ** -20), NaN, Infinity]) {
    expect(i8Scale(largest)).toEqual({ inverse: 0, step: 0 });
  }
});
