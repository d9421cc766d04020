import fc from 'fast-check';
import { expect, test } from 'vitest';
import { flatLayout, planChunks } from '@/tensor/layout';
import { chunkPieces } from '@/tensor/pieces';
import { blockTable } from '@/kernels/blocks';

test('blocks tile tensors in order, share no unit of eight, and know where they lie', () => {
  const size = fc.oneof(fc.nat(50), fc.integer({ min: 16_000, max: 60_000 }));
  fc.assert(
    fc.property(
      fc.array(size, { maxLength: 6 }),
      fc.integer({ min: 8, max: 40_000 }),
      (sizes, max) => {
        const layout = flatLayout(sizes.map((n, t) => ({ name: `t${t}`, shape: [n] })));
        const chunks = planChunks(layout, 1, () => 'F16', max);
        const pieces = chunkPieces(layout, chunks);
        const table = blockTable(pieces, sizes.length);
        let flat = 0;
        chunks.forEach((chunk, c) => {
          const { first, count } = table.ofChunk[c]!;
          for (let b = first; b < first + count; b++) {
            const block = table.words.slice(5 * b, 5 * b + 5);
            const [start, length, tensor, tensorPosition, flatPosition] = [...block];
            expect(flatPosition).toBe(flat);
            expect(start).toBe(flat - chunk.flatStart);
            expect(tensorPosition).toBe(flat - layout.tensors[tensor!]!.flatStart);
            expect(length).toBeGreaterThan(0);
            expect(length).toBeLessThanOrEqual(16_384);
            // A block ends at a unit, or with its piece.
            const end = start! + length!;
            const ends = pieces[c]!.map((piece) => piece.chunkStart + piece.elementCount);
            expect(end % 8 === 0 || ends.includes(end)).toBe(true);
            const { first: from, count: run } = table.ofTensor[tensor!]!;
            expect(b >= from && b < from + run).toBe(true);
            flat += length!;
          }
        });
        expect(flat).toBe(layout.elementCount);
        expect(table.blockCount).toBe(table.words.length / 5);
      },
    ),
    { numRuns: 50 },
  );
});
