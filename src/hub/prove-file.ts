/** Proves a file by its hash, once all of it is kept: that of ranges nobody named is no other. */
import { loadPart } from '@/core/load-part';
import { type RangeCache } from '@/hub/cache/range-cache';
import { wrongAnswer } from './hub-errors';
import { type RemoteFile } from './range-read';

/** Bytes that are hashed at a time. */
const PIECE_BYTES = 8 * 1024 * 1024;

/**
 * Hashes a file from the cache; one that is not whole yet is left for later.
 *
 * @throws PeruError when the file is not the one that the listing names: then nothing of it is kept
 */
export async function proveFile(
  file: RemoteFile,
  { cache, key }: { readonly cache: RangeCache; readonly key: string },
  signal: AbortSignal,
): Promise<void> {
  const { about, sha256, size, seen } = file;
  if (sha256 === null || (await cache.kept(key, 0, size)) < size) return;
  const { createSHA256 } = await loadPart(() => import('hash-wasm'));
  const hasher = await createSHA256();
  hasher.init();
  for (let at = 0; at < size; at += PIECE_BYTES) {
    signal.throwIfAborted();
    const piece = new Uint8Array(Math.min(PIECE_BYTES, size - at));
    // Gone again, or damaged on this disk: it is fetched anew, and then looked at.
    if ((await cache.fill(key, at, piece)).length > 0) return;
    hasher.update(piece);
  }
  const found = hasher.digest('hex');
  if (found !== sha256) {
    await cache.remove(key);
    throw wrongAnswer(about, `its content’s hash is ${found}, and ${sha256} in the repo’s listing`);
  }
  seen.hasBlindRanges = false;
}
