import { describe, expect, it } from 'vitest';
import { type ByteProgress } from '@/formats/checkpoint/checkpoint-source';
import { type Fetch, fetchFile } from './fetch-file';

const url = new URL('https://host/sub/path/zoo/model.safetensors');
const at = { path: 'model.safetensors', maxBytes: 1000 };

const answering =
  (body: BodyInit | null, init?: ResponseInit): Fetch =>
  () =>
    Promise.resolve(new Response(body, init));

/** A body that arrives in pieces. */
function pieces(...sizes: number[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const size of sizes) controller.enqueue(new Uint8Array(size).fill(size));
      controller.close();
    },
  });
}

describe('fetchFile', () => {
  it('gives the whole file and reports its bytes as they arrive', async () => {
    const seen: ByteProgress[] = [];
    const blob = await fetchFile(url, {
      ...at,
      fetch: answering(pieces(3, 2), { headers: { 'content-length': '5' } }),
      onProgress: (progress) => seen.push(progress),
    });
    expect([...new Uint8Array(await blob!.arrayBuffer())]).toEqual([3, 3, 3, 2, 2]);
    expect(seen).toEqual([
      { path: at.path, loadedBytes: 3, totalBytes: 5 },
      { path: at.path, loadedBytes: 5, totalBytes: 5 },
    ]);
  });

  it('does not trust the length of a compressed answer', async () => {
    const headers = { 'content-length': '2', 'content-encoding': 'gzip' };
    const blob = await fetchFile(url, { ...at, fetch: answering(pieces(5), { headers }) });
    expect(blob!.size).toBe(5);
  });

  it.each([
    ['404', { status: 404 }],
    ['410', { status: 410 }],
    ['the page itself', { headers: { 'content-type': 'text/html; charset=utf-8' } }],
  ])('gives null when the server answers %s', async (_, init) => {
    expect(await fetchFile(url, { ...at, fetch: answering('<html>', init) })).toBeNull();
  });

  it.each([403, 429, 500, 503])(
    'names path and status when the server answers %i',
    async (status) => {
      const fetching = fetchFile(url, { ...at, fetch: answering('no', { status }) });
      await expect(fetching).rejects.toMatchObject({
        kind: 'source',
        message: expect.stringMatching(
          new RegExp(`^/sub/path/zoo/model.safetensors .*${status}`),
        ) as string,
      });
    },
  );

  it('turns a failed connection into a source error', async () => {
    const fetch: Fetch = () => Promise.reject(new TypeError('Failed to fetch'));
    await expect(fetchFile(url, { ...at, fetch })).rejects.toMatchObject({
      kind: 'source',
      message: expect.stringContaining('connection failed') as string,
    });
  });

  it('refuses answers that break off, or are longer than expected', async () => {
    const short = answering(pieces(4), { headers: { 'content-length': '5' } });
    await expect(fetchFile(url, { ...at, fetch: short })).rejects.toThrow(/4 of 5 bytes/);
    const announced = answering(pieces(4), { headers: { 'content-length': '5000' } });
    await expect(fetchFile(url, { ...at, fetch: announced })).rejects.toThrow(/larger/);
    await expect(fetchFile(url, { ...at, fetch: answering(pieces(800, 201)) })).rejects.toThrow(
      /larger/,
    );
  });

  it('passes the signal on and rejects with its reason, not as a failure', async () => {
    const controller = new AbortController();
    const fetch: Fetch = (_, { signal }) =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => {
          reject(new TypeError('aborted'));
        });
      });
    const fetching = fetchFile(url, { ...at, fetch, signal: controller.signal });
    controller.abort();
    await expect(fetching).rejects.toMatchObject({ name: 'AbortError' });
  });
});
