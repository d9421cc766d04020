/** Header and exact size of `merged.safetensors` as it would be written. */
import { type SafetensorsDtype } from '@/tensor/safetensors-dtype';
import { buildSafetensorsHeader, type HeaderEntry, type WrittenHeader } from './safetensors-writer';

export interface MergedFileSpec {
  /** Every tensor of the base, in its order; `CheckpointTensors.tensors` fits. */
  readonly baseTensors: ReadonlyMap<
    string,
    { readonly dtype: SafetensorsDtype; readonly shape: readonly number[] }
  >;
  /** Dtype a tensor is written in; the base's own where left out or undefined. */
  readonly dtypeOf?: (name: string) => SafetensorsDtype | undefined;
  /** The recipe, as it stands under `__metadata__.peru`. */
  readonly recipeJson: string;
}

/** Header of the file: the base's names, order and shapes. `format` is what transformers asks. */
export function mergedHeader(spec: MergedFileSpec): WrittenHeader {
  const entries = [...spec.baseTensors].map(([name, { dtype, shape }]): HeaderEntry => ({
    name,
    dtype: spec.dtypeOf?.(name) ?? dtype,
    shape,
  }));
  return buildSafetensorsHeader(
    entries,
    new Map([
      ['format', 'pt'],
      ['peru', spec.recipeJson],
    ]),
  );
}

/** Bytes of the whole file. */
export function mergedFileBytes(spec: MergedFileSpec): number {
  return mergedHeader(spec).fileBytes;
}
