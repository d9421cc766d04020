/** NaN and Inf in a factor's raw bits. */
import { type FloatDtype } from '@/tensor/dtype';
import { type Factor } from '@/tensor/low-rank';

const EXPONENTS: Readonly<Record<FloatDtype, number>> = {
  F32: 0x7f80_0000,
  F16: 0x7c00,
  BF16: 0x7f80,
};

/** Elements whose exponent is all ones. */
export function countNonFinite({ bytes, dtype }: Factor): number {
  const exponent = EXPONENTS[dtype];
  const words = wordsOf(bytes, dtype);
  let count = 0;
  for (let i = 0; i < words.length; i++) if ((words[i]! & exponent) === exponent) count++;
  return count;
}

/** A view, or a copy where the bytes lie at an address that no view may start at. */
function wordsOf(bytes: Uint8Array<ArrayBuffer>, dtype: FloatDtype): Uint32Array | Uint16Array {
  const Words = dtype === 'F32' ? Uint32Array : Uint16Array;
  const size = Words.BYTES_PER_ELEMENT;
  const { buffer, byteOffset } = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  return new Words(buffer, byteOffset, bytes.byteLength / size);
}
