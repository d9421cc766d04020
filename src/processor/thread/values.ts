/** Room for values as files hold them. */
import { bytesPerElement, type FloatDtype } from '@/tensor/dtype';
import { type Stored } from '../simd/block-math';

/** @param buffer whole elements of `dtype`, little-endian */
export function storedIn(buffer: ArrayBuffer, dtype: FloatDtype): Stored {
  return dtype === 'F32'
    ? { dtype, values: new Float32Array(buffer) }
    : { dtype, values: new Uint16Array(buffer) };
}

/** Room for so many elements of a dtype. */
export function storedRoom(elementCount: number, dtype: FloatDtype): Stored {
  return storedIn(new ArrayBuffer(elementCount * bytesPerElement(dtype)), dtype);
}
