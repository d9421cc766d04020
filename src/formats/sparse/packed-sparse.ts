/**
 * Version 2 of a sparse vector's file (contract: "Version 2 of the sparse file"): few bits a value,
 * positions as Rice codes, blocks with checksums. Its directory names no tensors: they are those of the
 * merged model.
 */
import { encodeGaps } from '@/codecs/gaps';
import { type Checksum, openChecksum } from '@/codecs/packed/checksum';
import {
  type Directory,
  DirectoryError,
  type PlacedBlock,
  readDirectory,
  unsealed,
} from '@/codecs/packed/directory';
import { isPacked, levelCount, type PackedFormat } from '@/codecs/packed/packed-format';
import { decodeTensor, type ValueCode } from '@/codecs/packed/tensor-code';
import { type ByteSource } from '@/tensor/byte-source';
import { type CheckpointTensors } from '@/tensor/checkpoint-tensors';
import { isFloatDtype } from '@/tensor/dtype';
import { decodeFloats, encodeFloats } from '@/tensor/half';
import { flatLayout, type TensorSpan } from '@/tensor/layout';
import { readTensorBytes, type SafetensorsHeader, type TensorInfo } from '@/tensor/safetensors';
import { type KeptBytes, type KeptTensor } from './kept-tensor';
import { damaged, readSparseFacts, type SparseFile, tiedNames } from './sparse-file';

/** What such a file holds beside tensors that the task keeps whole. */
export const PACKED_PARTS = {
  /** Magnitudes, F32. */
  codebook: 'peru.codebook',
  /** U8 (`codecs/packed/directory.ts`). */
  directory: 'peru.directory',
  /** U8: all blocks, end to end. */
  blocks: 'peru.blocks',
} as const;

/** The tensors that a directory tells of, in its order: all of a merged model that hold floats. */
export function directoryTensors(
  tensors: Iterable<{
    readonly name: string;
    readonly dtype: string;
    readonly shape: readonly number[];
  }>,
): readonly TensorSpan[] {
  return flatLayout([...tensors].filter(({ dtype }) => isFloatDtype(dtype))).tensors;
}

/**
 * Reads metadata, codebook and directory; blocks are read when they are wanted.
 *
 * @throws PeruError `parse` for anything unsound, naming the file; `source` when it can not be read
 */
export async function readPackedFile(
  source: ByteSource,
  header: SafetensorsHeader,
  merged: CheckpointTensors,
): Promise<SparseFile> {
  const { fileName, metadata } = header;
  const facts = readSparseFacts(header);
  const format = metadata.get('values') ?? '';
  if (!isPacked(format)) throw damaged(fileName, 'its metadata name no format of packed values');
  const blocks = checkedParts(header, format);
  const [codebook, told, checksum] = await Promise.all([
    readTensorBytes(source, header, PACKED_PARTS.codebook),
    readTensorBytes(source, header, PACKED_PARTS.directory),
    openChecksum(),
  ]);
  const spans = directoryTensors(merged.tensors.values());
  const inside = unsealed(told, codebook, checksum);
  if (inside === null) throw damaged(fileName, 'its directory or codebook is not what was written');
  const directory = checkedDirectory(inside, spans, format, fileName);
  if (directory.byteLength !== blocks.byteLength) {
    const [most, found] = [directory.byteLength, blocks.byteLength];
    throw damaged(fileName, `its blocks take ${found} bytes, but its directory tells of ${most}`);
  }
  if (directory.kept !== facts.kept) {
    const [meant, found] = [facts.kept, directory.kept];
    throw damaged(fileName, `its metadata say ${meant} kept entries, but its directory ${found}`);
  }
  const code = { format, codebook: decodeFloats(codebook, 'F32') };
  if (code.codebook.some((magnitude) => !Number.isFinite(magnitude))) {
    throw damaged(fileName, 'its codebook holds NaN or Inf');
  }
  const elements = new Map(spans.map(({ name, elementCount }) => [name, elementCount] as const));
  const tensors = new Map(
    Array.from(directory.tensors, ([name, placed]) => {
      const of = { fileName, name, elementCount: elements.get(name)!, code, checksum };
      return [name, packedTensor(of, placed, blocks)] as const;
    }),
  );
  const parts = new Set<string>(Object.values(PACKED_PARTS));
  const own = new Map([...header.tensors].filter(([name]) => !parts.has(name)));
  const tied = tiedNames(header, { tensors, own });
  return { ...facts, valueFormat: format, tensors, own, tied };
}

/** @returns where blocks lie */
function checkedParts({ fileName, tensors }: SafetensorsHeader, format: PackedFormat): TensorInfo {
  const part = (name: string, dtype: string): TensorInfo => {
    const info = tensors.get(name);
    if (info?.dtype === dtype && info.shape.length === 1) return info;
    throw damaged(fileName, `it has no row of ${dtype} called "${name}"`);
  };
  const { elementCount } = part(PACKED_PARTS.codebook, 'F32');
  if (elementCount !== levelCount(format)) {
    throw damaged(fileName, `its codebook has ${elementCount} magnitudes, not those of ${format}`);
  }
  part(PACKED_PARTS.directory, 'U8');
  return part(PACKED_PARTS.blocks, 'U8');
}

function checkedDirectory(
  bytes: Uint8Array,
  spans: readonly TensorSpan[],
  format: PackedFormat,
  fileName: string,
): Directory {
  try {
    return readDirectory(bytes, spans, format);
  } catch (cause) {
    if (cause instanceof DirectoryError) throw damaged(fileName, `its directory ${cause.message}`);
    throw cause;
  }
}

interface PackedOf {
  readonly fileName: string;
  readonly name: string;
  readonly elementCount: number;
  readonly code: ValueCode;
  readonly checksum: Checksum;
}

function packedTensor(
  of: PackedOf,
  placed: readonly PlacedBlock[],
  blocks: TensorInfo,
): KeptTensor {
  return {
    name: of.name,
    kept: placed.reduce((sum, { shape }) => sum + shape.kept, 0),
    parts: placed.map(({ byteStart, byteLength }) => {
      return { byteStart: blocks.byteStart + byteStart, byteLength };
    }),
    read: (parts) => decoded(of, placed, parts),
  };
}

/** As gaps and float32 values, which is how entries are added, wherever they come from. */
function decoded(
  { fileName, name, elementCount, code, checksum }: PackedOf,
  placed: readonly PlacedBlock[],
  parts: readonly Uint8Array<ArrayBuffer>[],
): KeptBytes {
  placed.forEach((block, i) => {
    if (checksum(parts[i]!) === block.checksum) return;
    throw damaged(fileName, `block ${block.index + 1} of "${name}" is not what was written`);
  });
  const blocks = placed.map(({ index, shape }, i) => ({ index, shape, bytes: parts[i]! }));
  const entries = decodeTensor({ gain: placed[0]!.gain, blocks }, code, elementCount);
  if (entries === null) throw damaged(fileName, `the entries of "${name}" lead past its end`);
  return {
    gaps: encodeGaps(entries.positions),
    values: encodeFloats(entries.values, 'F32'),
    dtype: 'F32',
    step: null,
  };
}
