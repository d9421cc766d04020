/**
 * Reads safetensors files by ranges: 8 bytes of length, the JSON header, then only the tensors
 * asked for. The file is hostile until proven sound: `safetensors-header.ts` checks every rule.
 */
import { type ByteSource } from './byte-source';
import { PeruError } from '@/core/errors';
import { RemoteBytes } from './remote-bytes';
import { parseHeader, type SafetensorsHeader, type TensorInfo } from './safetensors-header';

export { type SafetensorsHeader, type TensorInfo } from './safetensors-header';

/** Longest header Peru reads, in bytes; the format's own cap is MAX_FORMAT_HEADER_BYTES. */
export const MAX_HEADER_BYTES = 25_000_000;
export const MAX_FORMAT_HEADER_BYTES = 100_000_000;

const LENGTH_BYTES = 8;
const OPENING_BRACE = 0x7b;
const DOWNLOAD_AGAIN = 'Download or copy the file again and compare its size with the original.';

/**
 * Reads and checks the header of a safetensors file; never touches the tensors' bytes.
 *
 * @param name file name for messages
 * @throws PeruError `parse` when the file breaks the format, `unsupported` when its header is
 *   sound in length but longer than Peru reads, `source` when it can not be read
 */
export async function readSafetensorsHeader(
  blob: ByteSource,
  name: string,
): Promise<SafetensorsHeader> {
  if (blob.size < LENGTH_BYTES) {
    throw new PeruError(
      'parse',
      `${name} has ${blob.size} bytes: too short for a safetensors file, whose first 8 bytes give the length of its header.`,
      DOWNLOAD_AGAIN,
    );
  }
  const headerBytes = await headerLength(blob, name);
  const bytes = await readRange(blob, LENGTH_BYTES, LENGTH_BYTES + headerBytes, name);
  return parseHeader(bytes, blob.size, name);
}

/**
 * Copies one tensor's bytes, or a part of them, out of the file. The copy starts at offset 0 of
 * its own buffer, so typed-array views fit however the tensor lies in the file.
 *
 * @param range bytes relative to the tensor's start, end exclusive
 * @throws PeruError `source` when the file can not be read or has shrunk
 */
export async function readTensorBytes(
  blob: ByteSource,
  header: SafetensorsHeader,
  tensorName: string,
  range?: { readonly start: number; readonly end: number },
): Promise<Uint8Array<ArrayBuffer>> {
  const { byteStart, byteLength } = tensorInfo(header, tensorName);
  const { start, end } = range ?? { start: 0, end: byteLength };
  if (!(start >= 0 && start <= end && end <= byteLength)) {
    throw new RangeError(`Bytes ${start} to ${end} lie outside "${tensorName}" (${byteLength}).`);
  }
  return readRange(blob, byteStart + start, byteStart + end, header.fileName);
}

/**
 * Reads bytes [start, end) of a file.
 *
 * @param signal stops the requests of a remote file; a local read runs to its end
 * @throws PeruError `source` when the file can not be read, or is shorter than it was
 */
export async function readRange(
  blob: ByteSource,
  start: number,
  end: number,
  name: string,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  // A remote file says itself what went wrong, and what to do.
  if (blob instanceof RemoteBytes) return blob.read(start, end, signal);
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = new Uint8Array(await blob.slice(start, end).arrayBuffer());
  } catch (cause) {
    throw unreadable(name, cause);
  }
  if (bytes.length !== end - start) throw unreadable(name, undefined);
  return bytes;
}

function unreadable(name: string, cause: unknown): PeruError {
  return new PeruError(
    'source',
    `${name} could not be read: it was moved, changed or removed since it was opened.`,
    'Add the file again and leave it in place while Peru works.',
    { cause },
  );
}

function tensorInfo(header: SafetensorsHeader, tensorName: string): TensorInfo {
  const info = header.tensors.get(tensorName);
  if (info === undefined) throw new RangeError(`${header.fileName} has no "${tensorName}".`);
  return info;
}

async function headerLength(blob: ByteSource, name: string): Promise<number> {
  // The length and, to recognise files of other formats, the first bytes after it.
  const start = await readRange(blob, 0, Math.min(blob.size, 64), name);
  const length = new DataView(start.buffer).getBigUint64(0, true);
  const available = blob.size - LENGTH_BYTES;
  if (length > BigInt(available) || start[LENGTH_BYTES] !== OPENING_BRACE) {
    // Only now: a sound file's length may begin with the very bytes that mark another format.
    const foreign = foreignFormat(start);
    if (foreign !== null) {
      const message = `${name} is not a safetensors file: ${foreign.what}`;
      throw new PeruError('parse', message, foreign.hint);
    }
  }
  if (length > BigInt(available)) {
    throw new PeruError(
      'parse',
      `${name} announces a header of ${length.toString()} bytes, but only ${available} bytes follow: it is truncated or not a safetensors file.`,
      DOWNLOAD_AGAIN,
    );
  }
  if (length > BigInt(MAX_HEADER_BYTES)) {
    const breaksFormat = length > BigInt(MAX_FORMAT_HEADER_BYTES);
    throw new PeruError(
      breaksFormat ? 'parse' : 'unsupported',
      `${name} announces a header of ${length.toString()} bytes; ${breaksFormat ? 'the format' : 'Peru'} allows ${breaksFormat ? MAX_FORMAT_HEADER_BYTES : MAX_HEADER_BYTES}.`,
      'Save the checkpoint again with the safetensors package, split into shards if it has very many tensors.',
    );
  }
  return Number(length);
}

const CONVERT =
  'Convert it with the safetensors package: load it with torch, then safetensors.torch.save_file.';

/** Names the format of a file that only looks like a checkpoint, or null. */
function foreignFormat(start: Uint8Array): { what: string; hint: string } | null {
  const text = String.fromCharCode(...start);
  if (text.startsWith('version https://git-lfs')) {
    return {
      what: 'it is a Git LFS pointer, a few lines of text that stand for the real file.',
      hint: 'Run `git lfs pull` in the repository, then add the file again.',
    };
  }
  if (/^\s*<(?:!doctype|html)/i.test(text)) {
    return {
      what: 'it is a web page.',
      hint: 'Download the file itself, not the page that shows it.',
    };
  }
  if (text.startsWith('PK\x03\x04') || text.startsWith('\x80\x02') || text.startsWith('\x80\x04')) {
    return { what: 'it is a PyTorch pickle, which can run code when it is read.', hint: CONVERT };
  }
  if (text.startsWith('GGUF')) {
    return { what: 'it is a GGUF file.', hint: 'Use the original safetensors checkpoint.' };
  }
  if (text.startsWith('\x89HDF')) return { what: 'it is an HDF5 file.', hint: CONVERT };
  return null;
}
