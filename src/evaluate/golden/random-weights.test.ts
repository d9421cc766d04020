import { describe, expect, it } from 'vitest';
import { randomValues } from './random-weights';
import golden from './real-shapes/models.json';

describe('randomValues', () => {
  it.each(golden.samples)("makes numpy's bits of $name", ({ name, shape, rules, values }) => {
    const made = randomValues(name, shape, rules);
    const step = Math.floor(made.length / 6);
    expect([...made.filter((_, i) => i % step === 0)]).toEqual(values);
  });

  it('spreads values as its rule says, and differently for every name', () => {
    const rules = [{ pattern: '^w', mean: 2, gain: 3 }];
    const made = randomValues('w', [4000, 9], rules);
    const mean = made.reduce((a, b) => a + b) / made.length;
    const variance = made.reduce((a, b) => a + (b - mean) ** 2, 0) / made.length;
    expect(mean).toBeCloseTo(2, 1);
    expect(Math.sqrt(variance)).toBeCloseTo(1, 1);
    expect(randomValues('w2', [4000, 9], rules)).not.toEqual(made);
  });
});
