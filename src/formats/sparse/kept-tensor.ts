import { type ValueDtype } from '@/tensor/dtype';

/** Kept entries of one tensor, or the last of them, as gaps and values. */
export interface KeptBytes {
  readonly gaps: Uint8Array<ArrayBuffer>;
  readonly values: Uint8Array<ArrayBuffer>;
  readonly dtype: ValueDtype;
  /** Step of the values, an f32; null where their codec has none. */
  readonly step: number | null;
}

/** Where one tensor's kept entries lie in a file, and what they are. */
export interface KeptTensor {
  readonly name: string;
  readonly kept: number;
  /** Bytes that `read` takes. */
  readonly parts: readonly { readonly byteStart: number; readonly byteLength: number }[];
  /**
   * @param parts their bytes, in this order
   * @throws PeruError `parse` for what can not be decoded
   */
  readonly read: (parts: readonly Uint8Array<ArrayBuffer>[]) => KeptBytes;
}
