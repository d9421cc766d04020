import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { largestWithin, leastReaching } from './largest-within';

const STEPS = 10_000;
const guess = (step: number): number => 10 + step;

/** Grows by no less than 1 a step, like bytes; jumps where a format changes. */
function bytesOf(scale: number, jumps: readonly number[]): (step: number) => number {
  return (step) => Math.round(50 + scale * step) + 300 * jumps.filter((at) => step >= at).length;
}

describe('largestWithin', () => {
  it('fills a budget to a hundredth, or to the step that is too large, in few looks', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.double({ min: 1, max: 40, noNaN: true }),
        fc.array(fc.integer({ min: 2, max: STEPS }), { maxLength: 3 }),
        fc.integer({ min: 1, max: 500_000 }),
        async (scale, jumps, limit) => {
          const bytes = bytesOf(scale, jumps);
          let looks = 0;
          const found = await largestWithin(
            (step) => {
              looks += 1;
              return Promise.resolve(bytes(step));
            },
            { limit, steps: STEPS, guess },
          );
          expect(looks).toBeLessThanOrEqual(16);
          if (found > 0) expect(bytes(found)).toBeLessThanOrEqual(limit);
          const isNext = found < STEPS && bytes(found + 1) > limit;
          const isFull = found > 0 && bytes(found) >= 0.99 * limit;
          expect(isNext || isFull || found === STEPS).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('gives nothing where the least is too much', async () => {
    const search = { limit: 50, steps: STEPS, guess };
    expect(await largestWithin((step) => Promise.resolve(50 + step), search)).toBe(0);
  });
});

describe('leastReaching', () => {
  it('finds a step that reaches, next to one that does not', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: STEPS }), async (goal) => {
        const found = await leastReaching((step) => Promise.resolve(step >= goal), {
          first: 100,
          steps: STEPS,
        });
        expect(found).toBeGreaterThanOrEqual(goal);
        expect(found! / goal <= 1.05 || found! - goal <= 1).toBe(true);
      }),
    );
  });

  it('tells where not even the largest does', async () => {
    const never = leastReaching(() => Promise.resolve(false), { first: 100, steps: STEPS });
    expect(await never).toBeNull();
  });
});
