import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeGaps } from './gaps';
import { decodeGaps } from './decode-gaps.fixture';
import { GapReader, GapsError } from './gap-reader';

const positions = fc.array(fc.integer({ min: 1, max: 800 })).map((steps) => {
  let at = -1;
  return steps.map((step) => (at += step));
});

describe('reading gaps', () => {
  it('gives the positions wherever the bytes are cut', () => {
    fc.assert(
      fc.property(positions, fc.array(fc.nat({ max: 9 })), (list, cuts) => {
        const gaps = encodeGaps(list);
        const reader = new GapReader((list.at(-1) ?? 0) + 1);
        const found: number[] = [];
        let at = 0;
        for (const cut of [...cuts, gaps.length]) {
          const [part, before] = [gaps.subarray(at, at + cut), reader.count];
          const into = new Uint32Array(part.length);
          expect(reader.read(part, into)).toBe(part.length);
          found.push(...into.subarray(0, reader.count - before));
          at += cut;
        }
        reader.end();
        expect(found).toEqual(list);
        expect(reader.count).toBe(list.length);
      }),
    );
  });

  it('stops before any element, and a copy goes on from there', () => {
    fc.assert(
      fc.property(positions, fc.array(fc.nat({ max: 900 })), (list, steps) => {
        const gaps = encodeGaps(list);
        let reader = new GapReader((list.at(-1) ?? 0) + 1);
        const into = new Uint32Array(list.length);
        let [at, end] = [0, 0];
        for (const step of [...steps, Infinity]) {
          end += step;
          const copy = reader.copy();
          at += copy.read(gaps.subarray(at), into.subarray(reader.count), end);
          expect(copy.count).toBe(list.filter((position) => position < end).length);
          expect(reader.copy().count).toBe(reader.count);
          reader = copy;
        }
        reader.end();
        expect([at, ...into]).toEqual([gaps.length, ...list]);
      }),
    );
  });

  it('takes any bytes as ascending positions inside the tensor, or refuses them', () => {
    const bytes = fc.array(fc.oneof(fc.constantFrom(0, 1, 254, 255), fc.nat({ max: 255 })));
    fc.assert(
      fc.property(bytes, fc.nat({ max: 2000 }), (list, elementCount) => {
        const gaps = Uint8Array.from(list);
        let found: Uint32Array;
        try {
          found = decodeGaps(gaps, elementCount);
        } catch (error) {
          expect(error).toBeInstanceOf(GapsError);
          return;
        }
        // What is accepted means one thing, and is how it would have been written.
        expect(encodeGaps(found)).toEqual(gaps);
        expect((found.at(-1) ?? -1) < elementCount).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    [[3], 3, /reach position 2/, false],
    [[3], 2, /reach position 2, past the tensor's end at 2/, true],
    [[255, 0], 254, /reach position 254/, true],
    [[255, 0], 255, /./, false],
    [[0], 9, /one position twice/, true],
    [[1, 0], 9, /one position twice/, true],
    [[1, 255], 999, /end without/, true],
  ])('judges %j in a tensor of %d', (gaps, elementCount, message, fails) => {
    const decode = () => decodeGaps(Uint8Array.from(gaps), elementCount);
    if (fails) expect(decode).toThrow(message);
    else expect(decode()).toHaveLength(1);
  });
});
