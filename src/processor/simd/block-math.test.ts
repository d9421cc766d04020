import { describe, expect, it } from 'vitest';
import { bf16ToF32Bits, f16ToF32Bits, f32BitsToBf16, f32BitsToF16 } from '@/tensor/half';
import { BLOCK_ELEMENTS } from '../parts/blocks';
import { BlockMath, MAGNITUDE } from './block-math';

const HALVES = 65_536;
const math = new BlockMath();
const CODECS = [
  { dtype: 'F16', widen: f16ToF32Bits, narrow: f32BitsToF16 },
  { dtype: 'BF16', widen: bf16ToF32Bits, narrow: f32BitsToBf16 },
] as const;

function bitsOf(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}

describe.each(CODECS)('$dtype', ({ dtype, widen, narrow }) => {
  // Steps by an odd number: every half beside others than its own neighbours, special ones too.
  it.each([1, 12_345])('widens every half bit for bit, in steps of %i', (step) => {
    const values = Uint16Array.from({ length: HALVES }, (_, i) => i * step);
    const wide = new Float32Array(BLOCK_ELEMENTS);
    for (let start = 0; start < HALVES; start += BLOCK_ELEMENTS) {
      math.widen({ dtype, values }, start, BLOCK_ELEMENTS, wide);
      const expected = Uint32Array.from(
        values.subarray(start, start + BLOCK_ELEMENTS),
        (half) => widen(half) >>> 0,
      );
      expect(bitsOf(wide)).toEqual(expected);
    }
  });

  it('rounds to nearest, ties to even, at and beside every half and every tie', () => {
    const bits = Array.from({ length: HALVES }, (_, half) => widen(half) >>> 0);
    // Last bits that are cut off: none, one, just below half, half, just above.
    const tie = dtype === 'F16' ? 0x1000 : 0x8000;
    const tails = [0, 1, tie - 1, tie, tie + 1, 2 * tie - 1];
    const all = Uint32Array.from(bits.flatMap((word) => tails.map((tail) => word + tail)));
    const values = new Float32Array(all.buffer);
    for (let start = 0; start < all.length; start += BLOCK_ELEMENTS) {
      const count = Math.min(BLOCK_ELEMENTS, all.length - start);
      const merged = new Uint16Array(all.length);
      const stored = { dtype: 'F32', values } as const;
      math.mergeLinear({ dtype, values: merged }, stored, [], [], start, count);
      for (let i = start; i < start + count; i++) {
        // base + 0, so that -0 becomes 0.
        const sum = new Uint32Array(Float32Array.of(values[i]! + 0).buffer)[0]!;
        if (merged[i] !== narrow(sum))
          expect([i, all[i], merged[i]]).toEqual([i, all[i], narrow(sum)]);
      }
    }
  });
});

it('counts every digit once, at any count', () => {
  const bits = Uint32Array.from({ length: BLOCK_ELEMENTS }, (_, i) =>
    i % 3 === 0 ? 0x3f80_0000 : Math.imul(i, 2_654_435_761) >>> 0,
  );
  const values = new Float32Array(bits.buffer);
  const zeros = new Float32Array(BLOCK_ELEMENTS);
  for (const count of [0, 1, 3, 4, 5, 1023, BLOCK_ELEMENTS]) {
    math.subtract({ dtype: 'F32', values }, { dtype: 'F32', values: zeros }, 0, count);
    const expected = new Uint32Array(2048);
    for (let i = 0; i < count; i++) expected[(math.bits[i]! & MAGNITUDE) >>> 20]!++;
    expect(math.countDigits(count, 20, 2048)).toEqual(expected);
  }
});
