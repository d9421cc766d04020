/** Fetches whole files over HTTP: the only place of Peru that talks to the network. */
import { type ByteSource } from '@/tensor/byte-source';
import { PeruError } from '@/core/errors';
import { type OpenOptions } from '@/formats/checkpoint/checkpoint-source';

export type Fetch = (
  url: string,
  init: { readonly signal: AbortSignal | null },
) => Promise<Response>;

/**
 * Fetches one file with one request.
 *
 * @param options.maxBytes refuse larger files
 * @returns null when the server has no such file
 * @throws PeruError `source`, naming the URL's path, when the request fails; whatever the signal
 *   was aborted with when it was aborted
 */
export async function fetchFile(
  url: URL,
  options: OpenOptions & {
    readonly fetch: Fetch;
    readonly path: string;
    readonly maxBytes: number;
  },
): Promise<ByteSource | null> {
  const { signal } = options;
  try {
    const response = await options.fetch(url.href, { signal: signal ?? null });
    if (isMissing(response)) {
      await response.body?.cancel();
      return null;
    }
    if (!response.ok) {
      await response.body?.cancel();
      throw httpError(url, response.status);
    }
    return await readBody(response, url, options);
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof PeruError) throw cause;
    throw new PeruError(
      'source',
      `${url.pathname} could not be fetched: the connection failed.`,
      'Check the network connection and reload the page.',
      { cause, mayPass: true },
    );
  }
}

/** Static servers answer an unknown path with 404, or with the page itself. */
function isMissing(response: Response): boolean {
  if (response.status === 404 || response.status === 410) return true;
  return response.ok && (response.headers.get('content-type') ?? '').startsWith('text/html');
}

function httpError(url: URL, status: number): PeruError {
  const isBusy = status >= 500 || status === 429;
  return new PeruError(
    'source',
    `${url.pathname} could not be fetched: the server answered ${status}.`,
    isBusy
      ? 'The server is busy or broken: try again in a minute.'
      : 'Check that the file is public and the address is right.',
    { mayPass: isBusy },
  );
}

async function readBody(
  response: Response,
  url: URL,
  options: OpenOptions & { readonly path: string; readonly maxBytes: number },
): Promise<ByteSource> {
  const totalBytes = announcedBytes(response);
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let loadedBytes = 0;
  const tooLarge = (): PeruError =>
    new PeruError(
      'source',
      `${url.pathname} is larger than the ${options.maxBytes} bytes expected of it.`,
      'Download the file and add it from disk instead.',
    );
  if (totalBytes !== null && totalBytes > options.maxBytes) {
    await response.body?.cancel();
    throw tooLarge();
  }
  const reader = response.body?.getReader();
  let chunk = await reader?.read();
  while (chunk !== undefined && !chunk.done) {
    loadedBytes += chunk.value.byteLength;
    if (loadedBytes > options.maxBytes) {
      await reader?.cancel();
      throw tooLarge();
    }
    parts.push(chunk.value);
    options.onProgress?.({ path: options.path, loadedBytes, totalBytes });
    chunk = await reader?.read();
  }
  if (totalBytes !== null && loadedBytes !== totalBytes) {
    throw new PeruError(
      'source',
      `${url.pathname} broke off after ${loadedBytes} of ${totalBytes} bytes.`,
      'Check the network connection and reload the page.',
      { mayPass: true },
    );
  }
  return new Blob(parts);
}

/** Content-Length counts the bytes on the wire: of use only where nothing compresses them. */
function announcedBytes(response: Response): number | null {
  if (response.headers.has('content-encoding')) return null;
  const announced = response.headers.get('content-length');
  return announced !== null && /^\d+$/.test(announced) ? Number(announced) : null;
}
