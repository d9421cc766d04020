/** Values as a float dtype has them, rounded to nearest, ties to even. */
import { bytesPerElement, type FloatDtype } from '@/tensor/dtype';
import { decodeFloats, encodeFloats, roundToDtype } from '@/tensor/half';
import { partName } from './sparse-parts';
import { type ValueCodec } from './value-codec';

export function floatValues(dtype: FloatDtype): ValueCodec {
  return {
    title: dtype,
    card: dtype,
    bytesPerValue: bytesPerElement(dtype),
    wgsl: 'value_float',
    scaleOf: null,
    entries: (name, kept) => [{ name: partName(name, 'values'), dtype, shape: [kept] }],
    encode: (values) => encodeFloats(values, dtype),
    loaded: (u) => roundToDtype(u, dtype),
    decode: (bytes) => decodeFloats(bytes, dtype),
  };
}
