import { expect, test } from 'vitest';
import { FLOAT_DTYPES } from '@/tensor/dtype';
import { encodeFloats } from '@/tensor/half';
import { countNonFinite } from './non-finite';

test.each(FLOAT_DTYPES)(
  '%s: NaN and infinities count, the largest and smallest do not',
  (dtype) => {
    const largest = { F32: 3.4e38, BF16: 3.3e38, F16: 65_504 }[dtype];
    const values = [0, -0, 1, largest, -largest, 1e-7, NaN, Infinity, -Infinity];
    const bytes = encodeFloats(Float32Array.from(values), dtype);
    for (const offset of [0, 1, 2, 4]) {
      const moved = new Uint8Array(bytes.length + 9).fill(0xff);
      moved.set(bytes, offset);
      const factor = { bytes: moved.subarray(offset, offset + bytes.length), dtype };
      expect(countNonFinite({ ...factor, vectors: 'rows' })).toBe(3);
    }
  },
);
