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

/** Dtypes a sparse vector's values are stored in; what each of them means is in `codecs/`. */
export const VALUE_DTYPES = ['F32', 'F16', 'BF16', 'I8'] as const;

export type ValueDtype = (typeof VALUE_DTYPES)[number];

export function isValueDtype(dtype: string): dtype is ValueDtype {
  return (VALUE_DTYPES as readonly string[]).includes(dtype);
}
