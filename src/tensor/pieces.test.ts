import fc from 'fast-check';
import { expect, test } from 'vitest';
import { flatLayout, planChunks } from '@/tensor/layout';
import { chunkPieces } from '@/tensor/pieces';

test('pieces tile every chunk and every tensor, in order, whatever the cuts', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(40), fc.boolean()), { maxLength: 12 }),
      fc.integer({ min: 1, max: 50 }),
      (tensors, maxElements) => {
        const specs = tensors.map(([size, wide], i) => ({ name: `t${i}`, shape: [size], wide }));
        const wide = new Map(specs.map((spec) => [spec.name, spec.wide]));
        const layout = flatLayout(specs);
        const chunks = planChunks(
          layout,
          1,
          (_, name) => (wide.get(name) === true ? 'F32' : 'F16'),
          maxElements,
        );
        let flat = 0;
        const seen = layout.tensors.map(() => 0);
        chunkPieces(layout, chunks).forEach((pieces, c) => {
          for (const piece of pieces) {
            expect(piece.elementCount).toBeGreaterThan(0);
            expect(piece.flatStart).toBe(flat);
            expect(piece.chunkStart).toBe(flat - chunks[c]!.flatStart);
            expect(piece.tensorStart).toBe(seen[piece.tensor]);
            flat += piece.elementCount;
            seen[piece.tensor]! += piece.elementCount;
          }
        });
        expect(flat).toBe(layout.elementCount);
        expect(seen).toEqual(layout.tensors.map((tensor) => tensor.elementCount));
      },
    ),
  );
});
