/** Reads a range of a remote file over plain HTTP, and goes on where a lost connection stopped. */
import { type About, brokeOff, hostElsewhere, wrongAnswer } from './hub-errors';
import { type HubClient } from './hub-client';
import { readBody } from './read-body';
import { TransientError } from '@/core/retry';

/** A file at a pinned commit. */
export interface RemoteFile {
  readonly about: About;
  /** The commit's hash. */
  readonly commit: string;
  readonly size: number;
  /** Names its content, as the Hub's listing says (`cacheKey`). */
  readonly contentKey: string;
  /** Its content's SHA-256 in hex, where the Hub lists one; null for files kept in git itself. */
  readonly sha256: string | null;
  /** Where it has an address in the content-addressed store. */
  readonly xetHash: string | null;
  readonly seen: SeenOfFile;
}

/** What answers for a file have shown so far. */
export interface SeenOfFile {
  /** First ETag of each place it came from: what every later answer must repeat. */
  readonly etags: Map<string, string>;
  /** Ranges came from a host that lets no page read which bytes they are; its hash must prove them. */
  hasBlindRanges: boolean;
}

export function nothingSeen(): SeenOfFile {
  return { etags: new Map(), hasBlindRanges: false };
}

/** Where a read's bytes go, and how far it has come. */
export interface Filling {
  readonly start: number;
  readonly end: number;
  /** Exactly end - start bytes. */
  readonly into: Uint8Array;
  filled: number;
  readonly onBytes: (bytes: number) => void;
}

/**
 * One request for what is still missing.
 *
 * @throws TransientError when the connection is lost or the body too short; `filled` then says
 *   where to go on
 * @throws PeruError for refusals, and for answers that are not what was asked for
 */
export async function fillOverHttp(
  client: HubClient,
  file: RemoteFile,
  filling: Filling,
  cut: { readonly signal: AbortSignal; readonly heard: () => void },
): Promise<void> {
  const { about } = file;
  const from = filling.start + filling.filled;
  const response = await client.send(resolveUrl(client, file), about, {
    headers: { Range: `bytes=${from}-${filling.end - 1}` },
    signal: cut.signal,
  });
  try {
    checkRange(response, file, { from, end: filling.end });
    checkIdentity(response, file);
  } catch (error) {
    await response.body?.cancel().catch(() => undefined);
    throw error;
  }
  await readBody(response, about, (chunk) => {
    cut.heard();
    take(filling, chunk, about);
  });
  if (filling.filled < filling.into.length) {
    throw new TransientError(brokeOff(about, new Error('The body was too short.')));
  }
}

/** Adds bytes that came next. */
export function take(filling: Filling, chunk: Uint8Array, about: About): void {
  if (filling.filled + chunk.length > filling.into.length) {
    throw wrongAnswer(about, 'it holds more bytes than were asked for');
  }
  filling.into.set(chunk, filling.filled);
  filling.filled += chunk.length;
  filling.onBytes(chunk.length);
}

/** Where the Hub serves a file, or says where it is served. */
function resolveUrl(client: HubClient, { about, commit }: RemoteFile): URL {
  const path = (about.path ?? '').split('/').map(encodeURIComponent).join('/');
  return new URL(`${about.repo}/resolve/${commit}/${path}`, client.hub);
}

interface Asked {
  readonly from: number;
  readonly end: number;
}

function checkRange(response: Response, file: RemoteFile, { from, end }: Asked): void {
  const { about, size, seen } = file;
  if (response.status === 200) {
    // A server may send a whole file where a whole file was asked for.
    if (from === 0 && end === size) return;
    throw wrongAnswer(about, `bytes ${from} to ${end - 1} were asked for, and the whole file came`);
  }
  if (response.status !== 206) {
    throw wrongAnswer(about, `its status is ${response.status}, not 206`);
  }
  const stated = response.headers.get('content-range');
  if (stated === null && hostElsewhere(response, about) !== null) {
    // Which headers each content host exposes is not known. The body must be exactly as long as
    // what was asked for, and the whole file have its hash once it is here.
    seen.hasBlindRanges = true;
    return;
  }
  const match = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(stated ?? '');
  if (match === null) {
    throw wrongAnswer(
      about,
      `it does not say which bytes it holds (${stated ?? 'no Content-Range'})`,
    );
  }
  const [first, last, total] = match.slice(1).map(Number);
  if (first !== from || last !== end - 1) {
    throw wrongAnswer(
      about,
      `bytes ${from} to ${end - 1} were asked for, and it holds ${first}-${last}`,
    );
  }
  if (total !== size) {
    throw wrongAnswer(
      about,
      `the file has ${total} bytes there, and ${size} in the repo’s listing`,
    );
  }
}

/** The same file as before, at the same commit, with the content that the listing names. */
function checkIdentity(response: Response, file: RemoteFile): void {
  const { about, commit, sha256 } = file;
  const { etags } = file.seen;
  const { headers } = response;
  const repoCommit = headers.get('x-repo-commit');
  if (repoCommit !== null && repoCommit !== commit) {
    throw wrongAnswer(about, `it is of commit ${repoCommit}, not of ${commit}`);
  }
  const linked = etagOf(headers.get('x-linked-etag'));
  if (linked !== null && sha256 !== null && linked !== sha256) {
    throw wrongAnswer(
      about,
      `its content’s hash is ${linked}, and ${sha256} in the repo’s listing`,
    );
  }
  const etag = linked ?? etagOf(headers.get('etag'));
  if (etag === null) return;
  // Each host of a content network may have ETags of its own making.
  const place = linked === null ? hostOf(response.url) : 'linked';
  const known = etags.get(place);
  if (known === undefined) etags.set(place, etag);
  else if (known !== etag) {
    throw wrongAnswer(about, `the file changed while it was read (ETag ${known}, then ${etag})`);
  }
}

function etagOf(header: string | null): string | null {
  return header === null ? null : header.replace(/^W\//, '').replaceAll('"', '');
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : '';
}
