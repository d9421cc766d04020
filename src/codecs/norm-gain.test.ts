import { expect, test } from 'vitest';
import { I8_VALUES } from './i8-values';
import { normGain, rescaled } from './norm-gain';

test('restores a norm to a 32nd, by two at most', () => {
  for (const ratio of [1, 1.01, 1.25, 1.5, 1.99]) {
    expect(Math.abs(normGain(7, 7 * ratio ** 2) - ratio)).toBeLessThanOrEqual(1 / 64);
  }
  expect(normGain(1, 100)).toBe(2);
  expect(normGain(3, 3)).toBe(1);
});

test.each([
  [0, 0],
  [0, 5],
  [NaN, NaN],
  [1, NaN],
  [Infinity, Infinity],
  [1, Infinity],
  [2 ** -101, 2 ** -100],
  // Rounding may leave a little more in a part than in the whole.
  [1.000001, 1],
])('leaves values alone where %d of %d tells nothing', (kept, total) => {
  expect(normGain(kept, total)).toBe(1);
});

test('sums that differ in their last bits give one gain', () => {
  let differ = 0;
  for (let i = 0; i < 1000; i++) {
    const total = 1 + (i * 0.618034) ** 2 / 400_000;
    if (normGain(1, total) !== normGain(1, total * (1 + 2e-7))) differ++;
  }
  expect(differ).toBe(0);
});

test('what is stored stays; what is read is longer', () => {
  const values = Float32Array.of(1, -0.5, 0.1);
  const scale = I8_VALUES.scaleOf!(1);
  const longer = rescaled(scale, 1.5);
  expect(I8_VALUES.encode(values, longer)).toEqual(I8_VALUES.encode(values, scale));
  const stored = I8_VALUES.encode(values, longer);
  const read = I8_VALUES.decode(stored, longer.step);
  values.forEach((u, i) => {
    expect(read[i]).toBe(I8_VALUES.loaded(u, longer));
    expect(Math.abs(read[i]! - 1.5 * u)).toBeLessThanOrEqual(1.5 / 254 + 1e-6);
  });
});
