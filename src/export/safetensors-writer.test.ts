import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readSafetensorsHeader } from '@/tensor/safetensors';
import { bitsPerElement, SAFETENSORS_DTYPES } from '@/tensor/safetensors-dtype';
import { buildSafetensorsHeader, type HeaderEntry } from './safetensors-writer';

const golden = new URL('../tensor/golden/', import.meta.url);
const goldenNames = readdirSync(golden).filter((name) => name.endsWith('.safetensors'));

const entryBits = ({ dtype, shape }: Pick<HeaderEntry, 'dtype' | 'shape'>): number =>
  shape.reduce((a, b) => a * b, 1) * bitsPerElement(dtype);
const entries = fc.uniqueArray(
  fc
    .record({
      name: fc.oneof(
        fc.string({ unit: 'grapheme' }),
        fc.constantFrom('__proto__', '0', '10', 'constructor', '"'),
      ),
      dtype: fc.constantFrom(...SAFETENSORS_DTYPES),
      shape: fc.array(fc.nat({ max: 5 }), { maxLength: 3 }),
    })
    .filter((entry) => entryBits(entry) % 8 === 0),
  { selector: ({ name }) => name, maxLength: 10 },
);
const metadata = fc
  .array(fc.tuple(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' })))
  .map((pairs) => new Map(pairs));

describe('buildSafetensorsHeader', () => {
  it.each(goldenNames)('writes the header of %s as the reference package does', async (name) => {
    const file = readFileSync(new URL(name, golden));
    const header = await readSafetensorsHeader(new Blob([file]), name);
    const written = buildSafetensorsHeader([...header.tensors.values()], header.metadata);
    expect(Buffer.from(written.bytes).equals(file.subarray(0, header.dataStart))).toBe(true);
    expect(written.fileBytes).toBe(file.length);
  });

  it('is read back as it was given, padded to 8 bytes', async () => {
    await fc.assert(
      fc.asyncProperty(entries, metadata, async (list, meta) => {
        const { bytes, starts, fileBytes } = buildSafetensorsHeader(list, meta);
        expect(bytes.length % 8).toBe(0);
        const file = new Blob([bytes, new Uint8Array(fileBytes - bytes.length)]);
        const header = await readSafetensorsHeader(file, 'written');
        expect([...header.metadata]).toEqual([...meta]);
        const read = [...header.tensors.values()];
        expect(read.map(({ name, dtype, shape }) => ({ name, dtype, shape }))).toEqual(list);
        expect(read.map(({ byteStart }) => byteStart)).toEqual(starts);
      }),
      { numRuns: 300 },
    );
  });

  it('refuses names that stand twice or hide the metadata, and broken sizes', () => {
    const entry: HeaderEntry = { name: 'a', dtype: 'U8', shape: [1] };
    expect(() => buildSafetensorsHeader([entry, entry])).toThrow(/twice/);
    expect(() => buildSafetensorsHeader([{ ...entry, name: '__metadata__' }])).toThrow(/twice/);
    expect(() => buildSafetensorsHeader([{ ...entry, dtype: 'F4' }])).toThrow(/whole bytes/);
    expect(() => buildSafetensorsHeader([{ ...entry, shape: [-1] }])).toThrow(RangeError);
  });
});
