import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isFloatDtype, VALUE_DTYPES } from '@/tensor/dtype';
import { bitsPerElement } from '@/tensor/safetensors-dtype';
import { VALUE_CODECS } from './value-codecs';

/** Float32 values of all sizes, some not finite. */
const floats = fc.array(fc.oneof(fc.float(), fc.float({ min: -1, max: 1, noNaN: true })));

describe.each(VALUE_DTYPES)('values as %s', (dtype) => {
  const { bytesPerValue, scaleOf, entries, encode, loaded, decode } = VALUE_CODECS[dtype];

  it('are read back of their bytes as one by one', () => {
    fc.assert(
      fc.property(floats, (list) => {
        const values = Float32Array.from(list);
        const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        const scale = scaleOf && scaleOf(largest);
        const bytes = encode(values, scale);
        expect(bytes).toHaveLength(bytesPerValue * values.length);
        // From any place in a larger read.
        const read = Uint8Array.of(7, ...bytes).subarray(1);
        expect(decode(read, scale && scale.step)).toEqual(values.map((u) => loaded(u, scale)));
      }),
    );
  });

  it('fill the entries that they are told to', () => {
    const [last, ...before] = entries('a.weight', 3).toReversed();
    expect(last).toEqual({ name: 'a.weight.values', dtype, shape: [3] });
    expect(bitsPerElement(last!.dtype)).toBe(8 * bytesPerValue);
    const step = { name: 'a.weight.scale', dtype: 'F32', shape: [1] };
    expect(before).toEqual(scaleOf === null ? [] : [step]);
  });

  it('stand for themselves where they are floats', () => {
    expect(scaleOf === null).toBe(isFloatDtype(dtype));
  });
});
