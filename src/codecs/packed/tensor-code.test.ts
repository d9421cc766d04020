import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BLOCK_ELEMENTS } from './block-code';
import { MagnitudeCounts } from './codebook';
import { gainOf } from './gain-byte';
import { bitsPerValue, levelCount, PACKED_FORMATS, type PackedFormat } from './packed-format';
import {
  codeTensor,
  decodeTensor,
  type KeptEntries,
  planBlocks,
  withoutZeros,
} from './tensor-code';

const ELEMENTS = 2 * BLOCK_ELEMENTS + 1000;

function entriesOf(pairs: readonly (readonly [number, number])[]): KeptEntries {
  const sorted = [...new Map(pairs)].sort(([a], [b]) => a - b);
  return {
    positions: Uint32Array.from(sorted, ([position]) => position),
    values: Float32Array.from(sorted, ([, value]) => value),
  };
}

function codeOf(format: PackedFormat, { values }: KeptEntries) {
  const counts = new MagnitudeCounts();
  counts.add(values);
  return { format, codebook: counts.codebook(levelCount(format)) };
}

const position = fc.oneof(
  fc.nat(ELEMENTS - 1),
  fc.nat(40),
  fc.constantFrom(BLOCK_ELEMENTS - 1, BLOCK_ELEMENTS, 2 * BLOCK_ELEMENTS, ELEMENTS - 1),
);
const value = fc.float({ noNaN: true, noDefaultInfinity: true }).filter((number) => number !== 0);

describe.each(PACKED_FORMATS)('%s', (format) => {
  it('gives back positions and signs, and the nearest magnitude times the gain', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(position, value), { minLength: 1, maxLength: 200 }),
        (pairs) => {
          const entries = entriesOf(pairs);
          const code = codeOf(format, entries);
          const coded = codeTensor(entries, code, 1);
          const decoded = decodeTensor(coded, code, ELEMENTS);
          expect(decoded?.positions).toEqual(entries.positions);
          const nearest = Float64Array.from(entries.values, (u) =>
            Math.min(...Array.from(code.codebook, (m) => Math.abs(Math.abs(u) - m))),
          );
          decoded!.values.forEach((read, i) => {
            const u = entries.values[i]!;
            if (read !== 0) expect(Math.sign(read)).toBe(Math.sign(u));
            const magnitude = Math.abs(read) / gainOf(coded.gain);
            // Bounds and products are float32: one rounding each, relative to the larger of the two.
            const tolerance = 2 ** -22 * Math.max(Math.abs(u), magnitude) + 2 ** -149;
            const error = Math.abs(Math.abs(u) - magnitude);
            expect(error - nearest[i]!).toBeLessThanOrEqual(tolerance);
          });
        },
      ),
    );
  });

  it('plans the blocks that it writes', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(position, value), { maxLength: 200 }), (pairs) => {
        const entries = entriesOf(pairs);
        const { blocks } = codeTensor(entries, codeOf(format, entries), 1);
        expect(planBlocks(entries)).toEqual(blocks.map(({ index, shape }) => ({ index, shape })));
        const bits = bitsPerValue(format);
        for (const { shape, bytes } of blocks) {
          const fields = Math.ceil((shape.kept * (shape.lowBits + bits)) / 8);
          expect(bytes.length).toBe(shape.quotientBytes + fields);
        }
      }),
    );
  });

  it('restores the norm of the values, and of all of u by the gain asked for', () => {
    const wave = Array.from({ length: 5000 }, (_, i) => {
      return [3 * i, (i % 2 === 0 ? 1 : -1) * (1 + Math.abs(Math.sin(i)))] as const;
    });
    const entries = entriesOf(wave);
    const code = codeOf(format, entries);
    const norm = (values: Float32Array): number => Math.sqrt(values.reduce((s, v) => s + v * v, 0));
    for (const gain of [1, 1.5, 2]) {
      const decoded = decodeTensor(codeTensor(entries, code, gain), code, ELEMENTS)!;
      // A gain has 4 bits of fraction: half a step of at most 1/16.
      const ratio = norm(decoded.values) / (gain * norm(entries.values));
      expect(Math.abs(ratio - 1)).toBeLessThan(1 / 32);
    }
  });

  it('reads no block of another shape, and none that leads past its tensor', () => {
    const entries = entriesOf([
      [5, 1],
      [900, -2],
    ]);
    const code = codeOf(format, entries);
    const { gain, blocks } = codeTensor(entries, code, 1);
    const [block] = blocks;
    const decode = (change: object, elementCount = 1000) =>
      decodeTensor({ gain, blocks: [{ ...block!, ...change }] }, code, elementCount);
    expect(decode({})?.positions).toEqual(Uint32Array.of(5, 900));
    expect(decode({}, 900)).toBeNull();
    const empty = new Uint8Array(block!.bytes.length);
    expect(decode({ bytes: empty })).toBeNull();
    expect(decode({ bytes: empty.fill(255) })).toBeNull();
  });
});

it('stores no zeros, and takes NaN and infinity for the largest magnitude', () => {
  const entries = entriesOf([
    [1, 0],
    [2, -0],
    [3, NaN],
    [4, -Infinity],
    [7, 0.5],
    [9, 2],
  ]);
  const stored = withoutZeros(entries);
  expect([...stored.positions]).toEqual([3, 4, 7, 9]);
  const code = codeOf('Q2', stored);
  expect([...code.codebook]).toEqual([0.5, 2]);
  const coded = codeTensor(stored, code, 1);
  expect(gainOf(coded.gain)).toBe(1);
  expect([...decodeTensor(coded, code, 10)!.values]).toEqual([2, -2, 0.5, 2]);
});
