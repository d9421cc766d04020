import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeGaps } from '@/codecs/gaps';
import { type EncodedBlock, EncodedTensors } from './encoded-tensors';

/** What the GPU writes for a block: no byte yet for its first entry. */
function blockOf(tensor: number, positions: readonly number[]): EncodedBlock {
  const [first, last] = [positions[0]!, positions.at(-1)!];
  const gaps = encodeGaps(positions.map((position) => position - first));
  gaps[0] = 0;
  const values = Uint8Array.from(positions, (position) => position % 251);
  return { tensor, kept: positions.length, first, last, values, gaps };
}

function joined(
  blocks: readonly EncodedBlock[],
  scales: { inverse: number; step: number }[] | null,
) {
  const tensors = new EncodedTensors({ scales, gains: null });
  return [...blocks.flatMap((block) => [...tensors.add(block)]), ...tensors.finish()];
}

test('however positions are cut into blocks, gaps are those of the whole', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.nat(5000), { minLength: 1, maxLength: 60 }),
      fc.array(fc.nat(60)),
      (unsorted, cuts) => {
        const positions = unsorted.sort((a, b) => a - b);
        const ends = [...new Set([0, ...cuts, 60])].sort((a, b) => a - b);
        const blocks = ends
          .map((end, i) => positions.slice(i === 0 ? 0 : ends[i - 1], end))
          .filter((part) => part.length > 0)
          .map((part) => blockOf(4, part));
        const [tensor, ...others] = joined(blocks, null);
        expect(others).toEqual([]);
        expect(tensor!.gaps).toEqual(encodeGaps(positions));
        expect([...tensor!.values]).toEqual(positions.map((position) => position % 251));
        expect(tensor).toMatchObject({ tensor: 4, kept: positions.length, scale: null });
      },
    ),
  );
});

test('tensors far apart, and steps of I8 values', () => {
  const steps = [0.5, 0.25, 0.125].map((step) => ({ inverse: 1 / step, step }));
  const blocks = [blockOf(0, [3_000_000]), blockOf(0, [9_000_255]), blockOf(2, [0])];
  const tensors = joined(blocks, steps);
  expect(tensors.map(({ tensor, kept, scale }) => [tensor, kept, scale])).toEqual([
    [0, 2, 0.5],
    [2, 1, 0.125],
  ]);
  expect(Buffer.compare(tensors[0]!.gaps, encodeGaps([3_000_000, 9_000_255]))).toBe(0);
  expect([...tensors[1]!.gaps]).toEqual([1]);
});

test('blocks out of order are a fault', () => {
  expect(() => joined([blockOf(1, [0]), blockOf(0, [0])], null)).toThrow(/after/);
});
