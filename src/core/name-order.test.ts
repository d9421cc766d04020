import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { compareNames } from './name-order';

describe('compareNames', () => {
  it('counts as people do', () => {
    const counted = ['base', 'task1', 'task2', 'task9', 'task10', 'task21', 'v1.9', 'v1.10'];
    for (const start of [[...counted].reverse(), [...counted].sort()]) {
      expect(start.sort(compareNames)).toEqual(counted);
    }
  });

  it('leaves no two names without an order, so that it is the same however they came', () => {
    expect(['task2', 'task02', 'Task2'].sort(compareNames)).toEqual(
      ['Task2', 'task02', 'task2'].sort(compareNames),
    );
    const name = fc.stringMatching(/^[a-cA-C0-2_. é-]{0,6}$/);
    fc.assert(
      fc.property(name, name, (one, other) => {
        expect(compareNames(one, other) === 0).toBe(one === other);
        expect(Math.sign(compareNames(one, other))).toBe(-Math.sign(compareNames(other, one)) + 0);
      }),
    );
  });
});
