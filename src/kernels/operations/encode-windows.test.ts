import fc from 'fast-check';
import { expect, test } from 'vitest';
import { flatLayout, planChunks } from '@/tensor/layout';
import { BLOCK_ELEMENTS, blockTable } from '@/kernels/weights/blocks';
import { chunkMaps } from '@/kernels/weights/chunk-map';
import { KEPT_WORDS, windowsOf } from './encode-windows';
import { stagingBytes } from '@/kernels/weights/staging';

const layout = flatLayout([40_000, 7, 100_000].map((n, t) => ({ name: `t${t}`, shape: [n] })));
const chunks = planChunks(layout, 1, () => 'F16', 50_000);
const maps = chunkMaps(layout, chunks);
const table = blockTable(
  maps.map(({ pieces }) => pieces),
  layout.tensors.length,
);

test('windows hold every block that keeps any once, in order, apart and within the room', () => {
  const counted = fc.record({
    kept: fc.integer({ min: 0, max: BLOCK_ELEMENTS }),
    skips: fc.nat(64),
  });
  fc.assert(
    fc.property(
      fc.array(counted, { minLength: table.blockCount, maxLength: table.blockCount }),
      fc.constantFrom(1, 2, 4),
      (blocks, valueBytes) => {
        const counts = new Uint32Array(KEPT_WORDS * blocks.length);
        blocks.forEach(({ kept, skips }, b) => {
          counts.set([kept, skips, 0, 1], KEPT_WORDS * b);
        });
        const room = stagingBytes(maps);
        const all = chunks.map(({ index }) => index);
        const windows = [...windowsOf(table, all, counts, valueBytes, room)];
        const seen = windows.flatMap((window) => {
          expect(window.byteLength).toBeLessThanOrEqual(room);
          expect(window.firstBlock).toBe(window.runs[0]!.run.first);
          let end = 0;
          const packed = [...window.blocksOf(new ArrayBuffer(window.byteLength))];
          for (const bytes of [...packed.map((b) => b.values), ...packed.map((b) => b.gaps)]) {
            expect(bytes.byteOffset).toBeGreaterThanOrEqual(end);
            end = bytes.byteOffset + bytes.byteLength;
          }
          for (const { values } of packed) expect(values.byteOffset % valueBytes).toBe(0);
          return packed.map(({ kept, values, gaps }) => [kept, values.length, gaps.length]);
        });
        const expected = blocks
          .filter(({ kept }) => kept > 0)
          .map(({ kept, skips }) => [kept, valueBytes * kept, kept + skips]);
        expect(seen).toEqual(expected);
      },
    ),
  );
});
