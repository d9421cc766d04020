/** The small parts of a packed file: fields, Rice codes, varints, gains, codebooks. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { crc32 } from 'node:zlib';
import { fieldBytes, readFields, writeFields } from './bit-fields';
import { openChecksum } from './checksum';
import { MagnitudeCounts } from './codebook';
import { gainByte, gainOf } from './gain-byte';
import { bestLowBits, MOST_LOW_BITS, quotientBits, readQuotients, writeQuotients } from './rice';
import { readVarint, writeVarint } from './varints';

it('fields of 0 to 25 bits come back, highest bit first', () => {
  const widths = fc.integer({ min: 0, max: 25 });
  fc.assert(
    fc.property(widths, fc.array(fc.nat(2 ** 25 - 1), { maxLength: 50 }), (width, numbers) => {
      const fields = Uint32Array.from(numbers, (number) => number % 2 ** width);
      const bytes = new Uint8Array(fieldBytes(fields.length, width));
      writeFields(bytes, fields, width);
      expect(readFields(bytes, fields.length, width)).toEqual(fields);
      const bits = Array.from(fields, (f) => f.toString(2).padStart(width, '0').slice(-width));
      const text = width === 0 ? '' : bits.join('');
      const written = Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('');
      expect(written).toBe(text.padEnd(8 * bytes.length, '0'));
    }),
  );
});

it('quotients come back, with the k that takes the fewest bits', () => {
  const gaps = fc.array(fc.oneof(fc.nat(300), fc.nat(2 ** 18 - 1)), {
    minLength: 1,
    maxLength: 60,
  });
  fc.assert(
    fc.property(gaps, (numbers) => {
      const all = Uint32Array.from(numbers);
      const k = bestLowBits(all);
      const costs = Array.from({ length: MOST_LOW_BITS + 1 }, (_, low) => {
        return quotientBits(all, low) + low * all.length;
      });
      expect(costs[k]).toBe(Math.min(...costs));
      const bytes = new Uint8Array(Math.ceil(quotientBits(all, k) / 8));
      writeQuotients(bytes, all, k);
      expect(readQuotients(bytes, all.length)).toEqual(all.map((gap) => gap >>> k));
      expect(readQuotients(bytes, all.length + 1)).toBeNull();
      expect(readQuotients(bytes, all.length - 1)).toBeNull();
    }),
  );
});

it('varints come back, and end where their bytes do', () => {
  fc.assert(
    fc.property(fc.array(fc.maxSafeNat().map((n) => n % 2 ** 49)), (numbers) => {
      const bytes: number[] = [];
      for (const number of numbers) writeVarint(bytes, number);
      let at = 0;
      for (const number of numbers) {
        const read = readVarint(Uint8Array.from(bytes), at)!;
        expect(read.value).toBe(number);
        at = read.next;
      }
      expect(at).toBe(bytes.length);
      expect(readVarint(Uint8Array.from(bytes), at)).toBeNull();
    }),
  );
  expect(readVarint(new Uint8Array(9).fill(255), 0)).toBeNull();
});

it('gains are float32, ascend, and the nearest is taken', () => {
  const gains = Array.from({ length: 256 }, (_, byte) => gainOf(byte));
  expect(gains).toEqual(gains.map(Math.fround));
  for (let byte = 1; byte < 256; byte++) expect(gains[byte]).toBeGreaterThan(gains[byte - 1]!);
  for (let byte = 0; byte < 256; byte++) expect(gainByte(gains[byte]!)).toBe(byte);
  fc.assert(
    fc.property(fc.double({ min: 1 / 64, max: 992, noNaN: true }), (gain) => {
      // Steps of a sixteenth to a thirty-second of the gain.
      expect(Math.abs(gainOf(gainByte(gain)) / gain - 1)).toBeLessThanOrEqual(1 / 32);
    }),
  );
  expect([NaN, 0, -1].map((gain) => gainOf(gainByte(gain)))).toEqual([1, 1, 1]);
  expect([1e-9, Infinity].map(gainByte)).toEqual([0, 255]);
});

it('a codebook is ascending, made of means, and no worse than quantiles', () => {
  const values = Float32Array.from({ length: 4000 }, (_, i) => {
    return (i % 2 === 0 ? 1 : -1) * -Math.log(1 - ((i * 0.618034) % 1));
  });
  const counts = new MagnitudeCounts();
  counts.add(values.subarray(0, 1000));
  counts.add(values.subarray(1000));
  const codebook = counts.codebook(4);
  expect([...codebook]).toEqual([...codebook].sort((a, b) => a - b));
  const error = (magnitudes: readonly number[]): number =>
    values.reduce((sum, u) => {
      return sum + Math.min(...magnitudes.map((m) => Math.abs(Math.abs(u) - m))) ** 2;
    }, 0);
  const sorted = Array.from(values, Math.abs).sort((a, b) => a - b);
  const quantiles = [0.125, 0.375, 0.625, 0.875].map((q) => sorted[Math.floor(q * 4000)]!);
  expect(error([...codebook])).toBeLessThan(error(quantiles));
  expect([...new MagnitudeCounts().codebook(4)]).toEqual([0, 0, 0, 0]);
});

it('a checksum is the low half of zlib’s CRC-32', async () => {
  const checksum = await openChecksum();
  for (const bytes of [new Uint8Array(0), Uint8Array.of(1, 2, 3), new Uint8Array(70_000).fill(9)]) {
    expect(checksum(bytes)).toBe(crc32(bytes) & 0xffff);
  }
});
