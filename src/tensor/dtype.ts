/** Floating dtypes that merge, prune and compress; names as in safetensors headers. */
export type FloatDtype = 'F32' | 'F16' | 'BF16';

export const FLOAT_DTYPES: readonly FloatDtype[] = ['F32', 'F16', 'BF16'];

export function isFloatDtype(dtype: string): dtype is FloatDtype {
  return (FLOAT_DTYPES as readonly string[]).includes(dtype);
}

/** Bytes of one element. */
export function bytesPerElement(dtype: FloatDtype): 2 | 4 {
  return dtype === 'F32' ? 4 : 2;
}
