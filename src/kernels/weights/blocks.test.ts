import fc from 'fast-check';
import { expect, test } from 'vitest';
import { flatLayout, planChunks } from '@/tensor/layout';
import { blockTable } from './blocks';
import { chunkMaps } from './chunk-map';

/** A layout of made-up tensors, cut into chunks, with its maps. */
function planned(sizes: readonly number[], maxElements: number) {
  const layout = flatLayout(
    sizes.map((n, t) => ({ name: `t${String(t).padStart(3, '0')}`, shape: [n] })),
  );
  const chunks = planChunks(layout, 1, () => 'F16', maxElements);
  return { layout, chunks, maps: chunkMaps(layout, chunks) };
}

test('pieces start at units that nobody shares, in flat order, within the limit', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(70), { maxLength: 12 }),
      fc.integer({ min: 8, max: 200 }),
      (sizes, limit) => {
        const { chunks, maps } = planned(sizes, limit);
        maps.forEach(({ pieces, runs, paddedCount }, c) => {
          let [flat, free] = [chunks[c]!.flatStart, 0];
          for (const { flatStart, bufferStart, elementCount } of pieces) {
            expect(flatStart).toBe(flat);
            expect(bufferStart % 8).toBe(0);
            expect(bufferStart).toBeGreaterThanOrEqual(free);
            expect(bufferStart - free).toBeLessThan(8);
            flat += elementCount;
            free = bufferStart + elementCount;
          }
          expect(paddedCount).toBe(Math.ceil(free / 8) * 8);
          expect(paddedCount).toBeLessThanOrEqual(Math.max(8, limit));
          // What is copied as one: every piece, no padding but at its end.
          const copied = runs.flatMap(({ chunkStart, bufferStart, elementCount }) =>
            pieces
              .filter((p) => p.chunkStart >= chunkStart && p.chunkStart < chunkStart + elementCount)
              .map((p) => p.bufferStart - bufferStart === p.chunkStart - chunkStart),
          );
          expect(copied).toEqual(pieces.map(() => true));
          expect(runs.reduce((sum, run) => sum + run.elementCount, 0)).toBe(
            chunks[c]!.elementCount,
          );
        });
      },
    ),
    { numRuns: 50 },
  );
});

test('tensors of whole units are copied as one', () => {
  expect(planned([8, 64, 0, 768, 5], 4096).maps[0]!.runs.length).toBe(1);
  expect(planned([8, 63, 0, 768, 5], 4096).maps[0]!.runs.length).toBe(2);
});

test('a tensor cut inside a unit is refused', () => {
  const { layout } = planned([24], 24);
  const chunk = { dtypes: ['F16' as const] };
  const cutAt = (n: number) => [
    { ...chunk, index: 0, flatStart: 0, elementCount: n },
    { ...chunk, index: 1, flatStart: n, elementCount: 24 - n },
  ];
  expect(chunkMaps(layout, cutAt(16)).length).toBe(2);
  expect(() => chunkMaps(layout, cutAt(12))).toThrow('inside a unit');
});

test('blocks tile tensors in order, share no unit of eight, and know where they lie', () => {
  const size = fc.oneof(fc.nat(50), fc.integer({ min: 16_000, max: 60_000 }));
  const limits = fc.integer({ min: 1000, max: 40_000 });
  fc.assert(
    fc.property(fc.array(size, { maxLength: 6 }), limits, (sizes, limit) => {
      const { layout, chunks, maps } = planned(sizes, limit);
      const table = blockTable(
        maps.map(({ pieces }) => pieces),
        sizes.length,
      );
      let flat = 0;
      chunks.forEach((_, c) => {
        const { first, count } = table.ofChunk[c]!;
        for (let b = first; b < first + count; b++) {
          const block = table.words.slice(5 * b, 5 * b + 5);
          const [start, length, tensor, tensorPosition, flatPosition] = [...block];
          const piece = maps[c]!.pieces.find((p) => p.tensor === tensor)!;
          expect(flatPosition).toBe(flat);
          expect(start! - piece.bufferStart).toBe(flat - piece.flatStart);
          expect(start! % 8).toBe(0);
          expect(tensorPosition).toBe(flat - layout.tensors[tensor!]!.flatStart);
          expect(length).toBeGreaterThan(0);
          expect(length).toBeLessThanOrEqual(16_384);
          // A block is full, or ends with its piece.
          const end = flat + length!;
          const endsPiece = end === piece.flatStart + piece.elementCount;
          expect(length === 16_384 || endsPiece).toBe(true);
          const { first: from, count: run } = table.ofTensor[tensor!]!;
          expect(b >= from && b < from + run).toBe(true);
          flat += length!;
        }
      });
      expect(flat).toBe(layout.elementCount);
      expect(table.blockCount).toBe(table.words.length / 5);
    }),
    { numRuns: 50 },
  );
});
