import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BLOCK_ELEMENTS } from './block-code';
import { openChecksum } from './checksum';
import {
  type DirectoryBlock,
  DirectoryError,
  encodeDirectory,
  readDirectory,
  sealed,
  unsealed,
} from './directory';

const TENSORS = [
  { name: 'a', elementCount: 3 * BLOCK_ELEMENTS + 5 },
  { name: 'empty', elementCount: 0 },
  { name: 'b', elementCount: 7 },
];

const SHAPE = { kept: 3, lowBits: 17, quotientBytes: 1 };

function directoryOf(blocks: Readonly<Record<string, DirectoryBlock>>): Uint8Array {
  return encodeDirectory(TENSORS, (name, index) => blocks[`${name} ${index}`] ?? null);
}

it('tells of blocks where they lie', () => {
  const bytes = directoryOf({
    'a 1': { shape: { kept: 200, lowBits: 9, quotientBytes: 80 }, gain: 131, checksum: 0xabcd },
    'a 3': { shape: { kept: 1, lowBits: 0, quotientBytes: 1 }, gain: 131, checksum: 1 },
    'b 0': { shape: { kept: 7, lowBits: 0, quotientBytes: 1 }, gain: 0, checksum: 0xffff },
  });
  const { tensors, kept, byteLength } = readDirectory(bytes, TENSORS, 'Q3');
  expect(kept).toBe(208);
  expect([...tensors.keys()]).toEqual(['a', 'b']);
  // Quotients, then 200 fields of 9 + 3 bits.
  expect(tensors.get('a')).toMatchObject([
    { index: 1, byteStart: 0, byteLength: 380, gain: 131, checksum: 0xabcd },
    { index: 3, byteStart: 380, byteLength: 2, elementCount: 5 },
  ]);
  expect(tensors.get('b')).toMatchObject([{ index: 0, byteStart: 382, byteLength: 4 }]);
  expect(byteLength).toBe(386);
});

it.each([
  ['more entries than elements', { ...SHAPE, kept: 8, lowBits: 0, quotientBytes: 1 }],
  ['more low bits than there are', { ...SHAPE, lowBits: 19 }],
  ['fewer quotients than entries', { ...SHAPE, kept: 7, quotientBytes: 0 }],
  ['longer quotients than the tensor', { ...SHAPE, lowBits: 0, quotientBytes: 3 }],
])('refuses %s', (_, shape) => {
  const bytes = directoryOf({ 'b 0': { shape, gain: 128, checksum: 0 } });
  expect(() => readDirectory(bytes, TENSORS, 'Q1')).toThrow(DirectoryError);
  expect(() => readDirectory(bytes, TENSORS, 'Q1')).toThrow(/entries in "b" that can not be/);
});

it('refuses two gains for one tensor', () => {
  const block = { shape: { kept: 1, lowBits: 0, quotientBytes: 1 }, gain: 1, checksum: 0 };
  const bytes = directoryOf({ 'a 0': block, 'a 1': { ...block, gain: 2 } });
  expect(() => readDirectory(bytes, TENSORS, 'Q2')).toThrow(/gives "a" more than one gain/);
});

it('refuses one of other tensors', () => {
  const bytes = directoryOf({});
  expect(() => readDirectory(bytes, TENSORS.slice(0, 2), 'Q1')).toThrow(/goes on for 1 bytes/);
  const more = [...TENSORS, { name: 'c', elementCount: 1 }];
  expect(() => readDirectory(bytes, more, 'Q1')).toThrow(/ends before "c"/);
});

it('whatever its bytes are, it is refused or tells of blocks that fit', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      try {
        const { tensors, kept } = readDirectory(bytes, TENSORS, 'Q2');
        const all = [...tensors.values()].flat();
        expect(kept).toBe(all.reduce((sum, { shape }) => sum + shape.kept, 0));
        for (const { shape, elementCount } of all) {
          expect(shape.kept).toBeLessThanOrEqual(elementCount);
          expect(shape.quotientBytes).toBeLessThanOrEqual(elementCount);
        }
      } catch (error) {
        expect(error).toBeInstanceOf(DirectoryError);
      }
    }),
  );
});

it('is sealed together with the codebook', async () => {
  const checksum = await openChecksum();
  const [directory, codebook] = [Uint8Array.of(1, 2, 3), Uint8Array.of(9, 9)];
  const bytes = sealed(directory, codebook, checksum);
  expect(unsealed(bytes, codebook, checksum)).toEqual(directory);
  expect(unsealed(bytes, Uint8Array.of(9, 8), checksum)).toBeNull();
  expect(
    unsealed(
      bytes.map((byte, i) => (i === 1 ? 0 : byte)),
      codebook,
      checksum,
    ),
  ).toBeNull();
  expect(unsealed(bytes.subarray(0, 1), codebook, checksum)).toBeNull();
});
