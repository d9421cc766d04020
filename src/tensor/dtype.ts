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

/** Dtypes a sparse vector's values are stored in; I8 has one F32 step a tensor beside it. */
export type ValueDtype = FloatDtype | 'I8';

export const VALUE_DTYPES: readonly ValueDtype[] = [...FLOAT_DTYPES, 'I8'];

/** Bytes of one stored value. */
export function bytesPerValue(dtype: ValueDtype): 1 | 2 | 4 {
  return dtype === 'I8' ? 1 : bytesPerElement(dtype);
}
