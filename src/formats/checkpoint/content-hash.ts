/** SHA-256 of a repo's files: the Hub's own where it lists one, else of the bytes, as a stream. */
import { type ByteSource } from '@/tensor/byte-source';
import { PeruError } from '@/core/errors';
import { readRange } from '@/tensor/safetensors';
import { fileLabel, type OpenOptions, openRequired, type RepoSource } from './checkpoint-source';
import { loadPart } from '@/core/load-part';

/** Bytes that are hashed at a time. */
const PIECE_BYTES = 4 * 1024 * 1024;

/**
 * @returns 64 hex digits
 * @throws PeruError `source` when the file is missing or can not be read; the signal's reason once
 *   aborted
 */
export async function sha256Of(
  repo: RepoSource,
  path: string,
  options: OpenOptions = {},
): Promise<string> {
  const listed = repo.listedSha256?.(path);
  if (listed != null) return listed;
  const blob = await openRequired(repo, path, options);
  return sha256OfBlob(blob, fileLabel(repo, path), options);
}

/** Hashes of files that were read before: many of one size are looked for among each other. */
const known = new WeakMap<ByteSource, string>();

/**
 * Hashes a file of any size in pieces, once; the hasher is loaded when it is first needed.
 *
 * @param label of the file, for messages
 */
export async function sha256OfBlob(
  blob: ByteSource,
  label: string,
  { signal, onProgress }: OpenOptions = {},
): Promise<string> {
  signal?.throwIfAborted();
  const before = known.get(blob);
  if (before !== undefined) {
    onProgress?.({ path: label, loadedBytes: blob.size, totalBytes: blob.size });
    return before;
  }
  const { createSHA256 } = await loadPart(() => import('hash-wasm'));
  const hasher = await createSHA256();
  hasher.init();
  for (let at = 0; at < blob.size; at += PIECE_BYTES) {
    signal?.throwIfAborted();
    const end = Math.min(blob.size, at + PIECE_BYTES);
    hasher.update(await readRange(blob, at, end, label, signal));
    onProgress?.({ path: label, loadedBytes: end, totalBytes: blob.size });
  }
  const sha256 = hasher.digest('hex');
  known.set(blob, sha256);
  return sha256;
}

/**
 * The hash by which sparse files name their merged model: its file's own, or that of its shards'
 * hex digits in order, a line feed between them.
 */
export async function mergedSha256(shards: readonly string[]): Promise<string> {
  const [only, another] = shards;
  if (only === undefined) throw new PeruError('internal', 'A merged model has no file.', '');
  if (another === undefined) return only;
  return sha256OfBlob(new Blob([shards.join('\n')]), 'the shards’ hashes');
}
