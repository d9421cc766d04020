import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { sha256OfBlob } from './content-hash';

describe('sha256OfBlob', () => {
  it('reads a file in pieces, and only the first time', async () => {
    const bytes = new Uint8Array(5 * 1024 * 1024).map((_, i) => i % 251);
    const blob = new Blob([bytes]);
    let reads = 0;
    const slice = blob.slice.bind(blob);
    blob.slice = (...range) => {
      reads += 1;
      return slice(...range);
    };
    const told: number[] = [];
    const onProgress = ({ loadedBytes }: { readonly loadedBytes: number }): void => {
      told.push(loadedBytes);
    };
    const expected = createHash('sha256').update(bytes).digest('hex');
    expect(await sha256OfBlob(blob, 'a', { onProgress })).toBe(expected);
    expect(await sha256OfBlob(blob, 'a', { onProgress })).toBe(expected);
    expect(reads).toBe(2);
    expect(told).toEqual([4 * 1024 * 1024, bytes.length, bytes.length]);
    // Another file of the same content is another file.
    expect(await sha256OfBlob(new Blob([bytes]), 'b')).toBe(expected);
  });

  it('stops for a signal, also where the hash is known', async () => {
    const blob = new Blob(['a']);
    await sha256OfBlob(blob, 'a');
    await expect(sha256OfBlob(blob, 'a', { signal: AbortSignal.abort() })).rejects.toThrow();
  });
});
