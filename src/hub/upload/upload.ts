/**
 * Uploads files to a model repo of the Hub in one commit. Large files go the way that the Hub asks
 * for: to its content-addressed store (Xet) in pieces that it does not have yet, or by Git LFS.
 */
import {
  type CommitProgressEvent,
  commitIter,
  createRepo,
  HubApiError,
  listCommits,
  modelInfo,
} from '@huggingface/hub';
import { PeruError } from '@/core/errors';
import { isRecord } from '@/formats/checkpoint/json-file';
import { UploadClient, type UploadClientOptions } from './upload-client';
import {
  badRepoName,
  notAsExported,
  notPrivate,
  refusal,
  RefusedError,
  wrongUploadAnswer,
} from './upload-errors';
import { type UploadProgress, UploadTally } from './upload-tally';

export type { UploadProgress };

export interface UploadFile {
  /** Inside the repo, parts separated by `/`. */
  readonly path: string;
  readonly blob: File;
  /** Of the whole file, 64 hex digits. */
  readonly sha256: string;
  readonly bytes: number;
}

export interface HubUpload extends UploadClientOptions {
  /** `owner/name`. */
  readonly repo: string;
  readonly private: boolean;
  readonly files: readonly UploadFile[];
  /** First line of the commit's message. */
  readonly title: string;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: UploadProgress) => void;
}

export interface Uploaded {
  /** Address of the commit's page. */
  readonly url: string;
  /** 40 hex digits. */
  readonly commit: string;
}

const BRANCH = 'main';
const OBJECT = /^[0-9a-f]{40}$/;
/** What the Hub takes as either part of a repo's name. */
const NAME_PART = /^(?![-.])(?!.*(?:--|\.\.))[\w.-]{1,96}(?<![-.])$/;

/**
 * Makes the repo, or goes on with the one of that name, and adds the files in one commit: all of
 * them, or none. Files of the repo that have other paths stay.
 *
 * @throws PeruError when the name is none, when the Hub refuses, when the repo is public although
 *   `private` was asked for, or when someone else commits meanwhile; the signal's reason once aborted
 */
export async function uploadToHub(upload: HubUpload): Promise<Uploaded> {
  const { repo, files, signal } = upload;
  checkName(repo);
  const client = new UploadClient(repo, upload);
  for (const { path, blob, bytes } of files) {
    if (blob.size !== bytes) throw notAsExported(client.about(), path);
  }
  const isNew = await makeRepo(client, upload);
  try {
    const parent = await headOf(client, upload, isNew);
    return await commitFiles(client, upload, parent);
  } catch (error) {
    signal.throwIfAborted();
    throw isNew ? withEmptyRepo(toldApart(client, error), repo) : toldApart(client, error);
  }
}

function checkName(repo: string): void {
  const parts = repo.split('/');
  if (parts.length !== 2 || !parts.every((part) => NAME_PART.test(part))) throw badRepoName(repo);
}

/** @returns false where there is something of that name, or may be: the token says who may tell */
async function makeRepo(client: UploadClient, upload: HubUpload): Promise<boolean> {
  try {
    await createRepo({
      repo: { type: 'model', name: upload.repo },
      visibility: upload.private ? 'private' : 'public',
      accessToken: '',
      hubUrl: client.hubUrl,
      fetch: client.fetch(upload.signal),
    });
    return true;
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    if (error.status === 409) return false;
    // A token made for one repo may write to it, and make none.
    if (error.status === 403 && (await exists(client, upload))) return false;
    throw error;
  }
}

async function exists(client: UploadClient, upload: HubUpload): Promise<boolean> {
  try {
    await infoOf(client, upload);
    return true;
  } catch (error) {
    if (error instanceof RefusedError) return false;
    throw error;
  }
}

function infoOf(
  client: UploadClient,
  { repo, signal }: HubUpload,
): Promise<{ readonly sha: string; readonly private: boolean }> {
  return modelInfo({
    name: repo,
    revision: BRANCH,
    additionalFields: ['sha'],
    hubUrl: client.hubUrl,
    fetch: client.fetch(signal),
  });
}

/** The commit to build on. */
async function headOf(client: UploadClient, upload: HubUpload, isNew: boolean): Promise<string> {
  const { sha, private: isPrivate } = await infoOf(client, upload);
  if (upload.private && !isPrivate) {
    throw isNew
      ? wrongUploadAnswer(client.about(), 'it made a public repo where a private one was asked for')
      : notPrivate(client.about());
  }
  if (!OBJECT.test(sha)) throw wrongUploadAnswer(client.about(), 'it names no commit');
  return sha;
}

async function commitFiles(
  client: UploadClient,
  upload: HubUpload,
  parent: string,
): Promise<Uploaded> {
  const { repo, files, title, signal } = upload;
  const tally = new UploadTally(files, upload.onProgress);
  try {
    const events = commitIter({
      repo: { type: 'model', name: repo },
      operations: files.map(({ path, blob }) => ({
        operation: 'addOrUpdate',
        path,
        content: blob,
      })),
      title,
      branch: BRANCH,
      parentCommit: parent,
      hubUrl: client.hubUrl,
      fetch: verifying(client, files, client.fetch(signal)),
      // This runs in a worker, and the page's policy allows none made of text.
      useWebWorkers: false,
      abortSignal: signal,
    });
    const answer = await untilDone(events, tally, signal);
    tally.finish();
    return uploadedAs(client, answer?.commit.oid ?? '');
  } catch (error) {
    signal.throwIfAborted();
    const commit = isConflict(error) ? await arrived(client, upload, parent) : null;
    if (commit === null) throw error;
    tally.finish();
    return uploadedAs(client, commit);
  }
}

/** The library looks at the signal between pieces only; nobody waits for that. */
async function untilDone<T>(
  events: AsyncGenerator<CommitProgressEvent, T>,
  tally: UploadTally,
  signal: AbortSignal,
): Promise<T> {
  const stopped = new Promise<never>((_, reject) => {
    const stop = (): void => {
      reject(signal.reason as Error);
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  stopped.catch(() => undefined);
  for (;;) {
    const next = events.next();
    next.catch(() => undefined);
    const event = await Promise.race([next, stopped]);
    if (event.done === true) return event.value;
    tally.take(event.value);
  }
}

function uploadedAs(client: UploadClient, commit: string): Uploaded {
  if (!OBJECT.test(commit)) throw wrongUploadAnswer(client.about(), 'it names no commit');
  return { url: `${client.hubUrl}/${client.repo}/commit/${commit}`, commit };
}

/** Lets only what was verified be announced: the library hashes each large file as it is now. */
function verifying(
  client: UploadClient,
  files: readonly UploadFile[],
  by: typeof fetch,
): typeof fetch {
  const expected = new Set(files.map(({ sha256 }) => sha256));
  return (input, init) => {
    const { body } = init ?? {};
    const isBatch = typeof input === 'string' && input.endsWith('/info/lfs/objects/batch');
    if (isBatch && typeof body === 'string') {
      const { objects } = JSON.parse(body) as {
        readonly objects: readonly { readonly oid: string }[];
      };
      if (!objects.every(({ oid }) => expected.has(oid))) {
        return Promise.reject(notAsExported(client.about(), 'a file'));
      }
    }
    return by(input, init);
  };
}

function isConflict(error: unknown): boolean {
  return error instanceof RefusedError && (error.status === 409 || error.status === 412);
}

/**
 * The commit, where it had arrived and only its answer was lost: sent again, it stands in its own
 * way.
 */
async function arrived(
  client: UploadClient,
  upload: HubUpload,
  parent: string,
): Promise<string | null> {
  const commits = listCommits({
    repo: { type: 'model', name: upload.repo },
    revision: BRANCH,
    batchSize: 2,
    hubUrl: client.hubUrl,
    fetch: client.fetch(upload.signal),
  });
  const head = await commits.next();
  const before = await commits.next();
  if (head.done === true || before.done === true) return null;
  return head.value.title === upload.title && before.value.oid === parent ? head.value.oid : null;
}

/** Refusals of single files come inside of answers, and the library makes errors of them. */
function toldApart(client: UploadClient, error: unknown): unknown {
  if (!(error instanceof HubApiError)) return error;
  const words =
    isRecord(error.data) && typeof error.data['error'] === 'string' ? error.data['error'] : '';
  return refusal(error.statusCode, words, client.about());
}

function withEmptyRepo(error: unknown, repo: string): unknown {
  if (!(error instanceof PeruError)) return error;
  const hint = `${error.hint} The new repo ${repo} was made and has no files yet; the next try goes on with it.`;
  return new PeruError(error.kind, error.message, hint, { cause: error });
}
