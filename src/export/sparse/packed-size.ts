/** Header and exact size of a sparse file with packed values, version 2, as it would be written. */
import { blockBytes } from '@/codecs/packed/block-code';
import { CHECKSUM_BYTES } from '@/codecs/packed/checksum';
import { type DirectoryTensor, encodeDirectory } from '@/codecs/packed/directory';
import { type PackedPlan } from '@/codecs/packed/packed-plan';
import { PACKED_PARTS } from '@/formats/sparse/packed-sparse';
import { PACKED_VERSION } from '@/formats/sparse/sparse-file';
import { buildSafetensorsHeader } from '@/export/safetensors-writer';
import { bitsPerElement } from '@/tensor/safetensors-dtype';
import { type OwnEntry, type SparseHeader, sparseMetadata } from './sparse-size';

export interface PackedHeaderSpec {
  readonly plan: PackedPlan;
  /** All of the merged model that hold floats (`directoryTensors`). */
  readonly tensors: readonly DirectoryTensor[];
  /** As of a file of version 1. */
  readonly ownTensors?: readonly OwnEntry[];
  /** m, in percent. */
  readonly keptPercent: number;
  /** 64 hex digits; their length alone matters for the size. */
  readonly mergedSha256?: string;
}

/** Tensors kept whole, codebook, directory and blocks, those of the widest elements first. */
export function packedHeader(spec: PackedHeaderSpec): SparseHeader {
  const { plan, ownTensors = [] } = spec;
  const entries = [
    ...ownTensors,
    { name: PACKED_PARTS.codebook, dtype: 'F32' as const, shape: [plan.codebook.length] },
    { name: PACKED_PARTS.directory, dtype: 'U8' as const, shape: [directoryBytes(spec)] },
    { name: PACKED_PARTS.blocks, dtype: 'U8' as const, shape: [allBlockBytes(plan)] },
  ];
  entries.sort((a, b) => bitsPerElement(b.dtype) - bitsPerElement(a.dtype));
  const metadata = sparseMetadata({
    ...spec,
    version: PACKED_VERSION,
    kept: plan.kept,
    values: plan.format,
  });
  return { entries, header: buildSafetensorsHeader(entries, metadata) };
}

/** Gains and checksums take as many bytes, whatever they are. */
function directoryBytes({ plan, tensors }: PackedHeaderSpec): number {
  const { length } = encodeDirectory(tensors, (name, index) => {
    const block = plan.tensors.get(name)?.find((one) => one.index === index);
    return block === undefined ? null : { shape: block.shape, gain: 0, checksum: 0 };
  });
  return length + CHECKSUM_BYTES;
}

function allBlockBytes({ tensors, format }: PackedPlan): number {
  let bytes = 0;
  for (const blocks of tensors.values()) {
    for (const { shape } of blocks) bytes += blockBytes(shape, format);
  }
  return bytes;
}
