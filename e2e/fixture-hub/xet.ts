/**
 * The content-addressed store (Xet) as `@huggingface/hub` calls it: a file is one block of
 * uncompressed chunks, each behind a header of eight bytes.
 */
import { type FixtureFile } from './content';

const CHUNK = 64 * 1024;
const HEADER = 8;

/** What the store says of a range of a file: which chunks, where they lie, how much to skip. */
export function reconstruction(
  file: FixtureFile,
  hash: string,
  range: { readonly start: number; readonly end: number },
  origin: string,
): unknown {
  const first = Math.floor(range.start / CHUNK);
  const last = Math.ceil(range.end / CHUNK);
  const middle = Math.ceil((first + last) / 2);
  const halves = [
    { start: first, end: middle },
    { start: middle, end: last },
  ].filter(({ start, end }) => start < end);
  const terms = halves.map(({ start, end }) => {
    const unpacked = Math.min(file.size, end * CHUNK) - start * CHUNK;
    return { hash, unpacked_length: unpacked, range: { start, end } };
  });
  const ranges = halves.map(({ start, end }) => {
    const bytes = { start: physical(start), end: physical(end, file) - 1 };
    return { chunks: { start, end }, bytes };
  });
  // One address for all of them, as the store has it: read by several ranges in one request.
  const xorbs = { [hash]: [{ url: `${origin}/xorbs/${hash}`, ranges }] };
  return { offset_into_first_range: range.start - first * CHUNK, terms, xorbs };
}

/** The block of a file. */
export function block(file: FixtureFile): FixtureFile {
  const chunks = Math.ceil(file.size / CHUNK);
  return {
    ...file,
    size: file.size + chunks * HEADER,
    read: async (start, end) => {
      const first = Math.floor(start / (CHUNK + HEADER));
      const last = Math.ceil(end / (CHUNK + HEADER));
      const parts: Uint8Array[] = [];
      for (let chunk = first; chunk < last; chunk++) {
        const data = await file.read(chunk * CHUNK, Math.min(file.size, (chunk + 1) * CHUNK));
        parts.push(chunkHeader(data.length), data);
      }
      const skipped = start - physical(first);
      return Buffer.concat(parts).subarray(skipped, skipped + end - start);
    },
  };
}

function physical(chunk: number, file?: FixtureFile): number {
  const unpacked = Math.min(chunk * CHUNK, file?.size ?? Infinity);
  return unpacked + chunk * HEADER;
}

/** Version 0, lengths in three bytes, no compression. */
function chunkHeader(length: number): Uint8Array {
  const bytes = [length & 255, (length >> 8) & 255, length >> 16];
  return Uint8Array.from([0, ...bytes, 0, ...bytes]);
}
