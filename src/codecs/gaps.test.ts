import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeGaps } from './decode-gaps.fixture';
import { encodeGaps, gapBytes } from './gaps';

/** Ascending positions with steps around every boundary of the code. */
const positions = fc
  .array(fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 1100 })))
  .map((steps) => {
    let at = -1;
    return steps.map((step) => (at += step));
  });

/** The contract's NumPy line, word for word: cumsum(gaps)[gaps != 255] - 1. */
function decodeByContract(gaps: Uint8Array): number[] {
  let total = 0;
  const cumulated = Array.from(gaps, (gap) => (total += gap));
  return cumulated.filter((_, i) => gaps[i] !== 255).map((value) => value - 1);
}

describe('gaps', () => {
  it('decode to the positions they encode, also by the line of the contract', () => {
    fc.assert(
      fc.property(positions, (list) => {
        const gaps = encodeGaps(list);
        expect(decodeByContract(gaps)).toEqual(list);
        expect([...decodeGaps(gaps)]).toEqual(list);
      }),
    );
  });

  it('take the bytes that gapBytes says', () => {
    fc.assert(
      fc.property(positions, (list) => {
        const expected = list.reduce(
          (sum, position, i) => sum + gapBytes(position - (list[i - 1] ?? -1)),
          0,
        );
        expect(encodeGaps(list)).toHaveLength(expected);
      }),
    );
  });

  it.each([
    [[0], [1]],
    [[253], [254]],
    [[254], [255, 0]],
    [[255], [255, 1]],
    [[508], [255, 254]],
    [[509], [255, 255, 0]],
    [
      [0, 255],
      [1, 255, 0],
    ],
    [[], []],
  ])('encode %j as %j', (list, bytes) => {
    expect([...encodeGaps(list)]).toEqual(bytes);
  });

  it.each([[[1, 1]], [[2, 1]], [[-1]], [[0.5]], [[Number.NaN]]])('refuse positions %j', (list) => {
    expect(() => encodeGaps(list)).toThrow(RangeError);
  });
});
