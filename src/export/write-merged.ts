/** Writes the merged model: its weights in one file or shards, and the index that maps them. */
import { bytesPerElement, isFloatDtype } from '@/tensor/dtype';
import { type ExportFolder } from './file-sink';
import {
  MERGED_INDEX,
  type MergedFileSpec,
  type MergedShard,
  mergedIndex,
  mergedShards,
} from './merged-size';
import { entryBytes, type HeaderEntry } from './safetensors-writer';
import {
  exactly,
  type FileWriter,
  PIECE_BYTES,
  pieces,
  type WriteOptions,
  writeFile,
  writeWhole,
  type WrittenFile,
} from './written-file';

export interface WriteMergedSpec extends MergedFileSpec {
  /**
   * Elements [start, start + count) of a tensor that `dtypeOf` names, in that dtype, little-endian,
   * row-major.
   */
  readonly readMerged: (
    name: string,
    start: number,
    count: number,
  ) => Promise<Uint8Array<ArrayBuffer>>;
  /** Bytes [start, end) of any other tensor, as the base's file has them. */
  readonly read: (name: string, start: number, end: number) => Promise<Uint8Array<ArrayBuffer>>;
  /** Most bytes asked for at once, a multiple of 4; PIECE_BYTES. */
  readonly pieceBytes?: number;
}

export interface WrittenMerged {
  /** In order; their hashes, once verified, make `mergedSha`. */
  readonly shards: readonly WrittenFile[];
  readonly index: WrittenFile;
}

/**
 * Writes tensors one by one in the base's order, holding one piece at a time.
 *
 * @throws whatever the callbacks and the folder throw, and the signal's reason; files made by then
 *   stay for the caller to remove
 */
export async function writeMerged(
  folder: ExportFolder,
  spec: WriteMergedSpec,
  options: WriteOptions = {},
): Promise<WrittenMerged> {
  const shards = mergedShards(spec);
  const written: WrittenFile[] = [];
  for (const shard of shards) {
    const fill = (file: FileWriter): Promise<void> => fillShard(file, shard, spec);
    const tensors = shard.entries.map((entry) => {
      return { ...entry, copied: spec.dtypeOf?.(entry.name) === undefined };
    });
    written.push(await writeFile(folder, shard.name, fill, { ...options, tensors }));
  }
  const index = await writeWhole(folder, MERGED_INDEX, mergedIndex(shards, spec.tied), options);
  return { shards: written, index };
}

async function fillShard(
  file: FileWriter,
  { entries, header }: MergedShard,
  spec: WriteMergedSpec,
): Promise<void> {
  await file.write(header.bytes, 0);
  for (const [i, entry] of entries.entries()) {
    for (const [start, end] of pieces(entryBytes(entry), spec.pieceBytes ?? PIECE_BYTES)) {
      const bytes = await readPiece(entry, start, end, spec);
      await file.write(exactly(bytes, end - start, entry.name), header.starts[i]! + start);
    }
  }
}

function readPiece(
  { name, dtype }: HeaderEntry,
  start: number,
  end: number,
  { dtypeOf, read, readMerged }: WriteMergedSpec,
): Promise<Uint8Array<ArrayBuffer>> {
  if (dtypeOf?.(name) === undefined || !isFloatDtype(dtype)) return read(name, start, end);
  const size = bytesPerElement(dtype);
  return readMerged(name, start / size, (end - start) / size);
}
