/**
 * Every dtype the safetensors format defines (huggingface/safetensors, `tensor.rs`), with its
 * size. Peru merges three of them; the rest is known so that a file can be checked and its
 * refusal can say why.
 */
import { isFloatDtype } from './dtype';

const BITS = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
} as const;

export type SafetensorsDtype = keyof typeof BITS;

/**
 * `mergeable`: F32, F16, BF16. `other-float`: floating, but Peru can not merge it. `integer`:
 * indices, masks and quantised codes; listed and copied, never merged.
 */
export type DtypeClass = 'mergeable' | 'other-float' | 'integer';

export const SAFETENSORS_DTYPES = Object.keys(BITS) as readonly SafetensorsDtype[];

export function isSafetensorsDtype(name: string): name is SafetensorsDtype {
  return Object.hasOwn(BITS, name);
}

/** Bits of one element. */
export function bitsPerElement(dtype: SafetensorsDtype): number {
  return BITS[dtype];
}

export function dtypeClass(dtype: SafetensorsDtype): DtypeClass {
  if (isFloatDtype(dtype)) return 'mergeable';
  return /^[FC]/.test(dtype) ? 'other-float' : 'integer';
}
