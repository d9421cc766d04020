import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  bf16ToF32Bits,
  decodeFloats,
  encodeFloats,
  f16ToF32Bits,
  f32BitsToBf16,
  f32BitsToF16,
  roundToDtype,
} from '@/tensor/half';

/** Value of a float of `exponentBits` and `fractionBits` by its definition, in float64. */
function valueByDefinition(bits: number, exponentBits: number, fractionBits: number): number {
  const bias = 2 ** (exponentBits - 1) - 1;
  const sign = bits >>> (exponentBits + fractionBits) === 1 ? -1 : 1;
  const exponent = (bits >>> fractionBits) & (2 ** exponentBits - 1);
  const fraction = (bits & (2 ** fractionBits - 1)) / 2 ** fractionBits;
  if (exponent === 2 ** exponentBits - 1) return fraction === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * fraction * 2 ** (1 - bias);
  return sign * (1 + fraction) * 2 ** (exponent - bias);
}

const f16Value = (half: number): number => valueByDefinition(half, 5, 10);
const bf16Value = (half: number): number => valueByDefinition(half, 8, 7);

function fromBits(bits: number): number {
  return new Float32Array(new Uint32Array([bits]).buffer)[0]!;
}

function toBits(value: number): number {
  return new Uint32Array(new Float32Array([value]).buffer)[0]!;
}

/** Nearest half to a finite float32 by bisection over the sorted magnitudes, ties to even. */
function nearestByBisection(bits: number, valueOf: (half: number) => number, infinity: number) {
  const magnitude = Math.abs(fromBits(bits));
  let low = 0;
  let high = infinity; // as if the format went on: its value is one step above the largest finite
  const step = valueOf(infinity - 1) - valueOf(infinity - 2);
  const value = (half: number): number =>
    half === infinity ? valueOf(infinity - 1) + step : valueOf(half);
  if (magnitude >= value(infinity)) return infinity;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (value(middle) <= magnitude) low = middle;
    else high = middle;
  }
  const below = magnitude - value(low);
  const above = value(high) - magnitude;
  if (below === above) return low % 2 === 0 ? low : high;
  return below < above ? low : high;
}

const anyBits = fc.integer({ min: 0, max: 0xffff_ffff });
/** Bits near the interesting edges: F16 subnormals, its overflow, ties. */
const edgyBits = fc.oneof(
  anyBits,
  fc.integer({ min: 0x3300_0000, max: 0x3900_0000 }),
  fc.integer({ min: 0x477f_0000, max: 0x4790_0000 }),
  fc.integer({ min: 0, max: 0xffff }).map((half) => half << 16),
  fc.integer({ min: 0, max: 0x7bff }).map((half) => f16ToF32Bits(half) + 0x1000),
);

describe('F16', () => {
  test('decodes all 65,536 values by their definition', () => {
    for (let half = 0; half < 65_536; half++) {
      expect(Object.is(fromBits(f16ToF32Bits(half)), f16Value(half))).toBe(true);
    }
  });

  test('encoding undoes decoding, except that NaN becomes the quiet one', () => {
    for (let half = 0; half < 65_536; half++) {
      const back = f32BitsToF16(f16ToF32Bits(half));
      expect(back).toBe((half & 0x7fff) > 0x7c00 ? (half & 0x8000) | 0x7e00 : half);
    }
  });

  test('encodes any finite float32 to the nearest value, ties to even', () => {
    fc.assert(
      fc.property(edgyBits, (bits) => {
        fc.pre(Number.isFinite(fromBits(bits)));
        const expected = nearestByBisection(bits, f16Value, 0x7c00) | ((bits >>> 16) & 0x8000);
        expect(f32BitsToF16(bits)).toBe(expected);
      }),
      { numRuns: 20_000 },
    );
  });

  test('overflow and infinities', () => {
    expect(f32BitsToF16(toBits(65_519.996))).toBe(0x7bff);
    expect(f32BitsToF16(toBits(65_520))).toBe(0x7c00);
    expect(f32BitsToF16(toBits(-Infinity))).toBe(0xfc00);
  });
});

describe('BF16', () => {
  test('decodes all 65,536 values by their definition', () => {
    for (let half = 0; half < 65_536; half++) {
      expect(Object.is(fromBits(bf16ToF32Bits(half)), bf16Value(half))).toBe(true);
    }
  });

  test('encodes any finite float32 to the nearest value, ties to even', () => {
    fc.assert(
      fc.property(edgyBits, (bits) => {
        fc.pre(Number.isFinite(fromBits(bits)));
        const expected = nearestByBisection(bits, bf16Value, 0x7f80) | ((bits >>> 16) & 0x8000);
        expect(f32BitsToBf16(bits)).toBe(expected);
      }),
      { numRuns: 20_000 },
    );
  });

  test('NaN stays NaN although rounding alone would carry it away', () => {
    expect(Number.isNaN(bf16Value(f32BitsToBf16(0x7f80_0001)))).toBe(true);
    expect(Number.isNaN(bf16Value(f32BitsToBf16(0xffff_ffff)))).toBe(true);
  });
});

describe('arrays', () => {
  test.each(['F32', 'F16', 'BF16'] as const)(
    '%s: encode, then decode, equals rounding',
    (dtype) => {
      fc.assert(
        fc.property(fc.array(anyBits, { maxLength: 40 }), fc.nat(3), (words, offset) => {
          const values = new Float32Array(new Uint32Array(words).buffer);
          const bytes = encodeFloats(values, dtype);
          const shifted = new Uint8Array(bytes.length + offset);
          shifted.set(bytes, offset);
          const decoded = decodeFloats(shifted.subarray(offset), dtype);
          expect([...decoded]).toEqual([...values].map((value) => roundToDtype(value, dtype)));
        }),
      );
    },
  );

  test('F32 passes untouched, bit for bit', () => {
    const bits = new Uint32Array([0x8000_0000, 1, 0x7f80_0001, 0xffc0_1234]);
    const decoded = decodeFloats(new Uint8Array(bits.buffer), 'F32');
    expect([...new Uint32Array(decoded.buffer)]).toEqual([...bits]);
  });
});
