/**
 * Reads a closed file back, a piece at a time, and proves that it is what was meant to be written.
 * One pass: hashes of the pieces and of the file, the header, NaN and Inf, gaps.
 */
import { type ByteSource } from '@/tensor/byte-source';
import { type FloatDtype, isFloatDtype } from '@/tensor/dtype';
import { PeruError } from '@/core/errors';
import {
  readRange,
  readSafetensorsHeader,
  type SafetensorsHeader,
  type TensorInfo,
} from '@/tensor/safetensors';
import { sha256Hex } from '@/core/sha256';
import { GapReader, GapsError } from '@/codecs/gap-reader';
import { wholeName } from '@/codecs/sparse-parts';
import { type WriteOptions, type WrittenFile, type WrittenTensor } from './written-file';

export interface VerifyOptions extends WriteOptions {
  /** Let NaN and Inf pass: the sources held some, and the visitor went on. */
  readonly allowNonFinite?: boolean;
}

export interface VerifiedFile {
  readonly path: string;
  readonly bytes: number;
  /** SHA-256 of the whole file, 64 hex digits. */
  readonly sha256: string;
}

/**
 * @param blob the closed file, as it lies on disk
 * @throws PeruError `export` naming file and tensor where it differs from what was written or holds
 *   NaN or Inf; `source` when it can not be read; the signal's reason once it is aborted
 */
export async function verifyFile(
  blob: ByteSource,
  written: WrittenFile,
  { signal, onBytes, allowNonFinite = false }: VerifyOptions = {},
): Promise<VerifiedFile> {
  const { path, bytes, segments } = written;
  if (blob.size !== bytes) throw spoiled(path, `it has ${blob.size} bytes instead of ${bytes}`);
  const { createSHA256 } = await import('hash-wasm');
  const whole = await createSHA256();
  const tensors = await tensorChecks(blob, written, allowNonFinite);
  for (const { start, end, sha256 } of segments) {
    signal?.throwIfAborted();
    const piece = await readRange(blob, start, end, path);
    if ((await sha256Hex(piece)) !== sha256) {
      throw spoiled(path, `${tensors.nameAt(start)} is not what was written`);
    }
    whole.update(piece);
    tensors.read(piece, start);
    onBytes?.(piece.length);
  }
  tensors.end();
  return { path, bytes, sha256: whole.digest('hex') };
}

/**
 * The hash by which sparse vectors name their merged model: that of its file; of shards, that of
 * their hashes in order, joined by line breaks.
 */
export async function mergedSha(shardHashes: readonly string[]): Promise<string> {
  const [only, second] = shardHashes;
  if (only !== undefined && second === undefined) return only;
  return sha256Hex(new TextEncoder().encode(shardHashes.join('\n')));
}

function spoiled(path: string, what: string): PeruError {
  return new PeruError(
    'export',
    `${path} was written and read back, but ${what}.`,
    'Export again; if it happens again, check the disk, or free space on it.',
  );
}

/** What is looked at in the tensors while the file goes by. */
interface TensorChecks {
  /** What byte `at` belongs to, for messages. */
  nameAt(at: number): string;
  /** Takes the file in order. */
  read(piece: Uint8Array<ArrayBuffer>, start: number): void;
  end(): void;
}

async function tensorChecks(
  blob: ByteSource,
  written: WrittenFile,
  allowNonFinite: boolean,
): Promise<TensorChecks> {
  const { path } = written;
  if (written.tensors === null) {
    return { nameAt: (at) => `byte ${at}`, read: () => undefined, end: () => undefined };
  }
  const header = await writtenHeader(blob, path);
  checkHeader(header, written.tensors, path);
  const places = [...header.tensors.values()];
  const meant = new Map(written.tensors.map((tensor) => [tensor.name, tensor] as const));
  const readers = new Map(
    written.tensors.flatMap(({ name, gaps }) =>
      gaps === undefined ? [] : [[name, new GapReader(gaps.elementCount)] as const],
    ),
  );
  let next = 0;
  return {
    nameAt: (at) => {
      const place = places.findLast(({ byteStart }) => byteStart <= at);
      return place === undefined ? 'its header' : `"${place.name}"`;
    },
    read: (piece, start) => {
      const end = start + piece.length;
      while (next < places.length && places[next]!.byteStart < end) {
        const place = places[next]!;
        const placeEnd = place.byteStart + place.byteLength;
        const from = Math.max(place.byteStart, start);
        const part = piece.subarray(from - start, Math.min(placeEnd, end) - start);
        if (!allowNonFinite && meant.get(place.name)?.copied !== true) {
          checkFinite(part, place, path);
        }
        readGaps(readers.get(place.name), part, place.name, path);
        if (placeEnd > end) return;
        next += 1;
      }
    },
    end: () => {
      for (const [name, reader] of readers) endGaps(reader, meant.get(name)!, path);
    },
  };
}

async function writtenHeader(blob: ByteSource, path: string): Promise<SafetensorsHeader> {
  try {
    return await readSafetensorsHeader(blob, path);
  } catch (cause) {
    if (!(cause instanceof PeruError) || cause.kind === 'source') throw cause;
    throw new PeruError('export', `After it was written, ${cause.message}`, cause.hint, { cause });
  }
}

function checkHeader(
  header: SafetensorsHeader,
  meant: readonly WrittenTensor[],
  path: string,
): void {
  const facts = (tensor: Pick<TensorInfo, 'name' | 'dtype' | 'shape'> | undefined): string =>
    tensor === undefined
      ? 'nothing'
      : `"${tensor.name}" ${tensor.dtype} [${tensor.shape.join(', ')}]`;
  const found = [...header.tensors.values()];
  for (let i = 0; i < Math.max(found.length, meant.length); i++) {
    if (facts(found[i]) === facts(meant[i])) continue;
    throw spoiled(path, `its header has ${facts(found[i])} in the place of ${facts(meant[i])}`);
  }
}

function readGaps(
  reader: GapReader | undefined,
  part: Uint8Array,
  name: string,
  path: string,
): void {
  try {
    reader?.read(part);
  } catch (cause) {
    if (cause instanceof GapsError) throw spoiled(path, `the gaps in "${name}" ${cause.message}`);
    throw cause;
  }
}

function endGaps(reader: GapReader, { name, gaps }: WrittenTensor, path: string): void {
  try {
    reader.end();
  } catch (cause) {
    if (cause instanceof GapsError) throw spoiled(path, `the gaps in "${name}" ${cause.message}`);
    throw cause;
  }
  if (reader.count === gaps?.kept) return;
  throw spoiled(path, `"${name}" gives ${reader.count} positions instead of ${gaps?.kept ?? 0}`);
}

/** Pieces hold whole elements: writers cut them so. */
function checkFinite(part: Uint8Array<ArrayBuffer>, { name, dtype }: TensorInfo, path: string) {
  if (!isFloatDtype(dtype) || !hasNonFinite(part, dtype)) return;
  const wider = dtype === 'F16' ? ' F16 ends at 65504.' : '';
  throw new PeruError(
    'export',
    `${path} holds NaN or Inf in "${name}" (${dtype}), which the sources do not.${wider}`,
    dtype === 'F16' ? widerThanF16(name) : 'Check λ and the sources, then export again.',
  );
}

/** Kept values and the merged model have a dtype each; the visitor chooses both. */
function widerThanF16(name: string): string {
  return wholeName(name, 'values') !== null
    ? 'Choose BF16 or F32 as “Dtype of kept values”, which reach further, and export again.'
    : 'Choose BF16 or F32 as “Merged dtype”, which reach further, or a smaller λ, and export again.';
}

/** All exponent bits set, looked for on the raw bits. */
function hasNonFinite(bytes: Uint8Array<ArrayBuffer>, dtype: FloatDtype): boolean {
  const size = dtype === 'F32' ? 4 : 2;
  const aligned = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  const { buffer, byteOffset } = aligned;
  const count = Math.floor(aligned.length / size);
  const words =
    dtype === 'F32'
      ? new Uint32Array(buffer, byteOffset, count)
      : new Uint16Array(buffer, byteOffset, count);
  const mask = { F32: 0x7f80_0000, F16: 0x7c00, BF16: 0x7f80 }[dtype];
  for (const word of words) if ((word & mask) === mask) return true;
  return false;
}
