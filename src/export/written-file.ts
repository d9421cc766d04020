/** Writes a file and keeps what is needed to prove, once it is closed, that it is what was meant. */
import { type SafetensorsDtype } from '@/tensor/safetensors-dtype';
import { sha256Hex } from '@/core/sha256';
import { type ExportFolder, type OpenFile } from './file-sink';

/** A run of bytes written at once. */
export interface Segment {
  readonly start: number;
  readonly end: number;
  /** SHA-256 of the bytes as they were handed over, 64 hex digits. */
  readonly sha256: string;
}

/** A tensor as the header was meant to describe it. */
export interface WrittenTensor {
  readonly name: string;
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  /** Copied byte by byte from a source: NaN and Inf in it are the source's. */
  readonly copied?: boolean;
  /** For gaps: elements of the tensor they point into, and how many positions they give. */
  readonly gaps?: { readonly elementCount: number; readonly kept: number };
}

/** A closed file, to be read back by `verifyFile`. */
export interface WrittenFile {
  readonly path: string;
  readonly bytes: number;
  /** In the order of the file, without holes. */
  readonly segments: readonly Segment[];
  /** In the order of the header; null for files that are not safetensors. */
  readonly tensors: readonly WrittenTensor[] | null;
}

export interface WriteOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called with the bytes of each part once it is written. */
  readonly onBytes?: ((byteLength: number) => void) | undefined;
}

/** Most bytes handed to a sink, and read back, at once. */
export const PIECE_BYTES = 16 * 1024 * 1024;

/** Takes the bytes of one file, in any order. */
export interface FileWriter {
  /** @throws whatever the sink throws; the signal's reason once it is aborted */
  write(bytes: Uint8Array<ArrayBuffer>, at: number): Promise<void>;
}

/**
 * Makes one file and closes it whatever happens.
 *
 * @param fill writes every byte of the file, each once
 * @returns what must be found when it is read back
 * @throws whatever `fill` and the folder throw; RangeError when bytes are missing or written twice
 */
export async function writeFile(
  folder: ExportFolder,
  path: string,
  fill: (file: FileWriter) => Promise<void>,
  { tensors = null, signal, onBytes }: WriteOptions & Partial<Pick<WrittenFile, 'tensors'>> = {},
): Promise<WrittenFile> {
  signal?.throwIfAborted();
  const sink = await folder.create(path);
  const segments: Segment[] = [];
  try {
    await fill({
      write: async (bytes, at) => {
        for (const [start, end] of pieces(bytes.length)) {
          signal?.throwIfAborted();
          const piece = bytes.subarray(start, end);
          segments.push(await writeSegment(sink, piece, at + start));
          onBytes?.(piece.length);
        }
      },
    });
  } finally {
    await sink.close();
  }
  segments.sort((a, b) => a.start - b.start);
  return { path, bytes: checkTiling(path, segments), segments, tensors };
}

/** Writes a file that is small enough to be in memory as a whole: text, configuration. */
export function writeWhole(
  folder: ExportFolder,
  path: string,
  content: string | Uint8Array<ArrayBuffer>,
  options: WriteOptions = {},
): Promise<WrittenFile> {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  return writeFile(folder, path, (file) => file.write(bytes, 0), options);
}

/**
 * Copies a file byte by byte, a piece at a time.
 *
 * @param source its size, and what reads bytes [start, end) of it
 */
export function copyFile(
  folder: ExportFolder,
  path: string,
  source: {
    readonly byteLength: number;
    readonly read: (start: number, end: number) => Promise<Uint8Array<ArrayBuffer>>;
  },
  options: WriteOptions = {},
): Promise<WrittenFile> {
  const fill = async (file: FileWriter): Promise<void> => {
    for (const [start, end] of pieces(source.byteLength)) {
      await file.write(exactly(await source.read(start, end), end - start, path), start);
    }
  };
  return writeFile(folder, path, fill, options);
}

/** Cuts `total` into ranges of at most `most`, in order; none for 0. */
export function* pieces(total: number, most = PIECE_BYTES): Generator<[number, number]> {
  for (let start = 0; start < total; start += most) yield [start, Math.min(total, start + most)];
}

/** @throws RangeError where a callback gave another number of bytes than it was asked for */
export function exactly(
  bytes: Uint8Array<ArrayBuffer>,
  byteLength: number,
  what: string,
): Uint8Array<ArrayBuffer> {
  if (bytes.length === byteLength) return bytes;
  throw new RangeError(`${byteLength} bytes of "${what}" were asked for, ${bytes.length} came.`);
}

async function writeSegment(
  sink: OpenFile,
  bytes: Uint8Array<ArrayBuffer>,
  start: number,
): Promise<Segment> {
  // Hashed before the sink sees the bytes: what it spoils is found.
  const sha256 = await sha256Hex(bytes);
  await sink.write(bytes, start);
  return { start, end: start + bytes.length, sha256 };
}

/** @returns bytes of the file */
function checkTiling(path: string, segments: readonly Segment[]): number {
  let at = 0;
  for (const { start, end } of segments) {
    if (start !== at) throw new RangeError(`${path} was not written from byte ${at} to ${start}.`);
    at = end;
  }
  return at;
}
