/** Reads a range of a file from the Hub's content-addressed store (Xet), where it has one. */
import { downloadFile, fileDownloadInfo, type FileDownloadInfoOutput } from '@huggingface/hub';
import { PeruError } from '@/core/errors';
import { brokeOff, wrongAnswer } from './hub-errors';
import { type HubClient } from './hub-client';
import { type Filling, type RemoteFile, take } from './range-read';
import { TransientError } from '@/core/retry';

/**
 * Asks where the store keeps a file.
 *
 * @returns null where the store does not have it
 * @throws PeruError when the Hub refuses, or names another size or hash than its listing
 */
export async function xetInfo(
  client: HubClient,
  { about, commit, size, sha256 }: RemoteFile,
  signal: AbortSignal,
): Promise<FileDownloadInfoOutput | null> {
  const info = await fileDownloadInfo({
    repo: { type: 'model', name: about.repo },
    path: about.path ?? '',
    revision: commit,
    hubUrl: client.hubUrl,
    fetch: client.apiFetch(about, signal),
  });
  if (info?.xet === undefined) return null;
  if (info.size !== size) {
    throw wrongAnswer(about, `the file has ${info.size} bytes there, and ${size} in the listing`);
  }
  const hash = info.etag.replace(/^W\//, '').replaceAll('"', '');
  if (sha256 !== null && hash !== sha256) {
    throw wrongAnswer(about, `its content’s hash is ${hash}, and ${sha256} in the listing`);
  }
  return info;
}

/**
 * One pass over what is still missing.
 *
 * @throws TransientError when it broke off; `filled` then says where to go on
 * @throws PeruError for refusals, and for bytes that are not what was asked for
 */
export async function fillOverXet(
  client: HubClient,
  file: RemoteFile,
  filling: Filling,
  cut: {
    readonly info: FileDownloadInfoOutput;
    readonly signal: AbortSignal;
    readonly heard: () => void;
  },
): Promise<void> {
  const { about } = file;
  // The library turns what its fetch throws into errors of its own.
  let refused: Error | null = null;
  const blob = await downloadFile({
    repo: { type: 'model', name: about.repo },
    path: about.path ?? '',
    downloadInfo: cut.info,
    // One range, one connection: reads run side by side as it is.
    parallelDownloads: false,
    fetch: async (input, init) => {
      const url = input instanceof Request ? input.url : input;
      try {
        const response = await client.send(url, about, { ...init, signal: cut.signal });
        return isReconstruction(url) ? await withSingleRanges(response) : response;
      } catch (error) {
        refused = error instanceof Error ? error : null;
        throw error;
      }
    },
  });
  if (blob === null) throw wrongAnswer(about, 'the store has no such file');
  const range = blob.slice(filling.start + filling.filled, filling.end);
  const reader = range.stream().getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      cut.heard();
      take(filling, value, about);
    }
  } catch (cause) {
    await reader.cancel().catch(() => undefined);
    if (cause instanceof PeruError) throw cause;
    throwIfRefused(refused);
    throw new TransientError(brokeOff(about, cause));
  }
  if (filling.filled < filling.into.length) {
    throw new TransientError(brokeOff(about, new Error('The range was too short.')));
  }
}

function isReconstruction(url: string | URL): boolean {
  return new URL(url).pathname.includes('/reconstructions/');
}

/** What the store says of where a file lies: addresses, each signed for some ranges of a block. */
interface Reconstruction {
  readonly xorbs?: Readonly<Record<string, readonly SignedRanges[]>>;
}

interface SignedRanges {
  readonly url: string;
  readonly ranges: readonly unknown[];
}

/**
 * The same with one range an address, so that each is a request of its own: several ranges in one
 * take a preflight in browsers, which the hosts that keep the blocks may refuse. Each range is among
 * those that its address is signed for.
 */
async function withSingleRanges(response: Response): Promise<Response> {
  const { status, headers } = response;
  const told = (await response.json()) as Reconstruction;
  const xorbs = Object.entries(told.xorbs ?? {}).map(([hash, entries]) => {
    const single = entries.flatMap(({ url, ranges }) =>
      ranges.map((range) => ({ url, ranges: [range] })),
    );
    return [hash, single] as const;
  });
  const body = JSON.stringify({ ...told, xorbs: Object.fromEntries(xorbs) });
  return new Response(body, { status, headers });
}

/** In a function of its own: a compiler can not see that a callback sets the variable. */
function throwIfRefused(refused: Error | null): void {
  if (refused !== null) throw refused;
}
