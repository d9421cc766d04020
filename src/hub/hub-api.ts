/** What the Hub's API says of a repo: its commit, its files, its conversions to safetensors. */
import { listFiles, modelInfo } from '@huggingface/hub';
import { PeruError } from '@/core/errors';
import { isRecord } from '@/formats/checkpoint/json-file';
import { type HubClient } from './hub-client';
import { NoRepoError, repoPage, wrongAnswer } from './hub-errors';

export interface PinnedRepo {
  /** As the Hub spells it now: a renamed repo answers to its old name too. */
  readonly repo: string;
  /** As asked for. */
  readonly revision: string;
  /** The commit it stood for when it was asked. */
  readonly commit: string;
  readonly gated: boolean;
}

export interface HubFile {
  readonly path: string;
  readonly size: number;
  /** Git's name of the file or, for a large one, of what stands for it. */
  readonly oid: string;
  /** SHA-256 of the content in hex; null for small files kept in git itself. */
  readonly sha256: string | null;
  readonly xetHash: string | null;
}

/** How git names commits and files. */
const OBJECT = /^[0-9a-f]{40}$/;
const SHA256 = /^[0-9a-f]{64}$/;
/** Most files of a repo that are listed; checkpoints have a few dozen. */
const MAX_FILES = 50_000;
/** The account that opens pull requests with a repo's pickles rewritten as safetensors. */
const CONVERTER = 'SFconvertbot';

/**
 * Asks once what a revision stands for; from then on only its commit is used.
 *
 * @throws PeruError when there is no such repo or revision, or it may not be seen
 */
export async function pinRepo(
  client: HubClient,
  asked: { readonly repo: string; readonly revision: string | null },
  signal: AbortSignal,
): Promise<PinnedRepo> {
  const revision = asked.revision ?? 'main';
  const about = client.about({ repo: asked.repo, revision, path: null });
  try {
    const info = await modelInfo({
      name: asked.repo,
      revision,
      additionalFields: ['sha'],
      hubUrl: client.hubUrl,
      fetch: client.apiFetch(about, signal),
    });
    const { sha, name, gated } = info;
    if (!OBJECT.test(sha)) throw wrongAnswer(about, 'it names no commit');
    return { repo: name, revision, commit: sha, gated: gated !== false };
  } catch (error) {
    throw error instanceof NoRepoError ? await otherKind(client, asked.repo, error, signal) : error;
  }
}

/** Data sets and Spaces have names like models. */
async function otherKind(
  client: HubClient,
  repo: string,
  error: NoRepoError,
  signal: AbortSignal,
): Promise<PeruError> {
  const about = client.about({ repo, revision: null, path: null });
  for (const [kind, called] of [
    ['datasets', 'a data set'],
    ['spaces', 'a Space'],
  ] as const) {
    const url = new URL(`api/${kind}/${repo}`, client.hub);
    const found = await client
      .apiFetch(
        about,
        signal,
      )(url)
      .then(
        () => true,
        () => false,
      );
    signal.throwIfAborted();
    if (found) {
      return new PeruError(
        'source',
        `${repo} is ${called}, not a model repo.`,
        'Give the repo of a model: its page on the Hub stands under Models.',
      );
    }
  }
  return error;
}

/** @throws PeruError when the listing can not be had, or is longer than any model's */
export async function listRepo(
  client: HubClient,
  { repo, revision, commit }: PinnedRepo,
  signal: AbortSignal,
): Promise<HubFile[]> {
  const about = client.about({ repo, revision, path: null });
  const found: HubFile[] = [];
  const entries = listFiles({
    repo: { type: 'model', name: repo },
    revision: commit,
    recursive: true,
    hubUrl: client.hubUrl,
    fetch: client.apiFetch(about, signal),
  });
  for await (const { type, path, size, oid, lfs, xetHash } of entries) {
    if (type !== 'file' || oid === undefined || !OBJECT.test(oid)) continue;
    if (found.length === MAX_FILES) {
      throw new PeruError(
        'unsupported',
        `${repo} has more than ${MAX_FILES} files.`,
        'Download the checkpoint’s folder and add it from disk.',
      );
    }
    const sha256 = lfs !== undefined && SHA256.test(lfs.oid) ? lfs.oid : null;
    found.push({ path, size: lfs?.size ?? size, oid, sha256, xetHash: xetHash ?? null });
  }
  return found;
}

/**
 * Open pull requests in which the Hub's own converter wrote the repo's pickles as safetensors.
 * Anyone may open one, so only that account's count.
 *
 * @returns their revisions, newest first
 */
export async function conversions(
  client: HubClient,
  { repo, revision }: Pick<PinnedRepo, 'repo' | 'revision'>,
  signal: AbortSignal,
): Promise<string[]> {
  const about = client.about({ repo, revision, path: null });
  const url = new URL(`api/models/${repo}/discussions`, client.hub);
  url.search = new URLSearchParams({
    type: 'pull_request',
    status: 'open',
    author: CONVERTER,
  }).toString();
  const answer = await client.apiFetch(about, signal)(url);
  const body: unknown = await answer.json();
  const list = isRecord(body) ? body['discussions'] : null;
  if (!Array.isArray(list))
    throw wrongAnswer(about, `it lists no discussions (${repoPage(about)})`);
  return list
    .filter(isRecord)
    .filter(({ author, isPullRequest }) => {
      return isPullRequest === true && isRecord(author) && author['name'] === CONVERTER;
    })
    .map(({ num }) => num)
    .filter((num) => Number.isSafeInteger(num))
    .map((num) => `refs/pr/${String(num)}`);
}
