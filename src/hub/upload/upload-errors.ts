/** What the refusals of an upload mean to a visitor, and what to do about each. */
import { PeruError } from '@/core/errors';
import { isRecord } from '@/formats/checkpoint/json-file';
import { oneLine, repoPage } from '@/hub/hub-errors';
import { retryAfterMs, type RetryPolicy, TransientError, unsaidWait } from '@/core/retry';

/** What an upload's request was for. */
export interface UploadAbout {
  readonly hub: URL;
  /** `owner/name`. */
  readonly repo: string;
  /** Whom it went to: the Hub, or a host that keeps the Hub's large files. */
  readonly host: string;
  /** Whether the token came from a sign-in, which covers repos that this page made alone. */
  readonly signedIn: boolean;
}

/** A refusal that will not change by itself. */
export class RefusedError extends PeruError {
  /** Of HTTP. */
  readonly status: number;

  constructor(status: number, message: string, hint: string) {
    super('source', message, hint);
    this.status = status;
  }
}

const TRANSIENT: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);
/** Where a person makes access tokens. */
const TOKENS = 'under Access Tokens in the Hub’s settings';

/**
 * The error for an answer that is none: transient where trying again may help.
 *
 * @param body the answer's own text, which often says more than its status
 */
export function uploadRefused(
  response: Pick<Response, 'status' | 'headers'>,
  body: string,
  about: UploadAbout,
  policy: RetryPolicy,
): PeruError | TransientError {
  const { status, headers } = response;
  const words = wordsOf(headers.get('x-error-message'), body);
  if (!TRANSIENT.has(status)) return refusal(status, words, about);
  const wait = retryAfterMs(headers);
  if (status !== 429) {
    return new TransientError(serverBroken(about, status), { retryAfterMs: wait });
  }
  const waits = { retryAfterMs: wait, limitMs: wait ?? unsaidWait(policy) };
  return new TransientError(rateLimited(about, wait), waits);
}

/** The error for a status that will not change by itself; `words` are the Hub's own, or empty. */
export function refusal(status: number, words: string, about: UploadAbout): RefusedError {
  const [why, hint] = reasonOf(status, words, about);
  return new RefusedError(status, failed(about, why), hint);
}

type Reason = readonly [why: string, hint: string];

function reasonOf(status: number, words: string, about: UploadAbout): Reason {
  if (status === 413) return tooLarge(words, about);
  if (about.host !== about.hub.host) return storeRefused(status, words, about);
  if (status === 401) return badToken(about);
  if (status === 403) return forbidden(words, about);
  if (status === 404 || status === 410) return notFound(about);
  if (status === 409 || status === 412) return conflict(about);
  return [
    `${about.hub.host} answered ${status}${quoted(words)}`,
    'Change what the Hub names, if it names something; else try again, or download the files and upload them by other means.',
  ];
}

function badToken({ hub }: UploadAbout): Reason {
  return [
    `${hub.host} did not accept the access token: it is wrong, expired or was revoked`,
    `Make a token with write access ${TOKENS}, paste it here, and upload again.`,
  ];
}

function forbidden(words: string, { repo, signedIn }: UploadAbout): Reason {
  const owner = repo.split('/')[0] ?? '';
  if (signedIn) {
    return [
      `your sign-in may not write there${quoted(words)}`,
      `It covers repos that this page makes for you, and no others: choose a name under your own account that is not taken, or paste an access token with write permission for ${owner} (made ${TOKENS}).`,
    ];
  }
  return [
    `the access token may not write there${quoted(words)}`,
    `Take a token with write permission for ${owner} (made ${TOKENS}; one that may only read is not enough), or a name under an account of your own.`,
  ];
}

function notFound({ hub, repo }: UploadAbout): Reason {
  const owner = repo.split('/')[0] ?? '';
  return [
    `${hub.host} has no user or organization ${owner}, or no such repo that this token may see`,
    'Check the spelling of the owner and the name, and that the token belongs to someone who may write there.',
  ];
}

function conflict(about: UploadAbout): Reason {
  return [
    'someone else committed to the repo in the meantime, and nothing of theirs was overwritten',
    `See what changed at ${repoPage(about)}/commits/main, then upload again: what has arrived is not sent twice.`,
  ];
}

function tooLarge(words: string, { host }: UploadAbout): Reason {
  return [
    `a file is larger than ${host} takes${quoted(words)}`,
    'Export in a shorter dtype (BF16 or F16) or with fewer entries kept, and upload again.',
  ];
}

function storeRefused(status: number, words: string, { host }: UploadAbout): Reason {
  return [
    `${host}, which keeps the Hub’s large files, answered ${status}${quoted(words)}`,
    'Upload again: what has arrived is not sent twice. If it stays, download the files and upload them by other means.',
  ];
}

function failed({ repo }: UploadAbout, why: string): string {
  return `The upload to ${repo} failed: ${why}.`;
}

function quoted(words: string): string {
  return words === '' ? '' : ` and says “${words}”`;
}

function rateLimited(about: UploadAbout, waitMs: number | null): PeruError {
  const when = waitMs === null ? 'in a few minutes' : `in ${Math.ceil(waitMs / 1000)} seconds`;
  return new PeruError(
    'source',
    failed(about, `${about.host} gets too many requests from this account or network (429)`),
    `Upload again ${when}: what has arrived is not sent twice.`,
  );
}

function serverBroken(about: UploadAbout, status: number): PeruError {
  return new PeruError(
    'source',
    failed(about, `${about.host} is busy or broken (${status}), time after time`),
    'Upload again in a few minutes: what has arrived is not sent twice. status.huggingface.co says whether the Hub has a known fault.',
  );
}

/** The connection failed, or was lost half-way. */
export function uploadBrokeOff(about: UploadAbout, cause: unknown): PeruError {
  return new PeruError(
    'source',
    failed(
      about,
      `the connection to ${about.host} was lost, time after time, or the browser kept the answer from this page (CORS)`,
    ),
    'Check the network connection, and whether a firewall, a proxy or an extension keeps the host away; then upload again: what has arrived is not sent twice.',
    { cause },
  );
}

export function uploadOffline(about: UploadAbout, cause: unknown): PeruError {
  return new PeruError(
    'source',
    failed(about, 'this device is offline'),
    'Connect to the network and upload again: what has arrived is not sent twice.',
    { cause },
  );
}

/** The page's own policy keeps it from the host. */
export function uploadNotAllowed(about: UploadAbout): PeruError {
  return new PeruError(
    'source',
    failed(about, `this copy of Peru may not talk to ${about.host} (Content-Security-Policy)`),
    'Upload to huggingface.co; or serve Peru yourself, built with that host among HUB_ORIGINS in vite.config.ts.',
  );
}

/** The repo is there, and anyone may read it. */
export function notPrivate(about: UploadAbout): PeruError {
  return new PeruError(
    'source',
    `${about.repo} exists already and is public, but a private repo was asked for: nothing was uploaded.`,
    `Choose another name, make the repo private at ${repoPage(about)}/settings, or upload without asking for a private one.`,
  );
}

/** A file is not what was verified when it was exported. */
export function notAsExported(about: UploadAbout, path: string): PeruError {
  return new PeruError(
    'source',
    failed(about, `${path} is no longer as it was exported`),
    'Export again, then upload.',
  );
}

/** The Hub says it went well, in words that can not be right. */
export function wrongUploadAnswer(about: UploadAbout, what: string): PeruError {
  return new PeruError(
    'source',
    failed(about, `the answer of ${about.host} can not be trusted: ${what}`),
    `See at ${repoPage(about)} whether the files arrived; try again without proxies or extensions that change answers.`,
  );
}

export function badRepoName(name: string): PeruError {
  return new PeruError(
    'source',
    `“${name}” is no name for a repo.`,
    'Give owner/name: letters, digits, “-”, “_” and “.”, at most 96 of them each, no “-” or “.” at either end and neither twice in a row.',
  );
}

function wordsOf(header: string | null, body: string): string {
  return oneLine(header ?? jsonWords(body));
}

function jsonWords(body: string): string {
  try {
    const value: unknown = JSON.parse(body);
    if (!isRecord(value)) return '';
    const { error, message } = value;
    if (typeof error === 'string') return error;
    return typeof message === 'string' ? message : '';
  } catch {
    return '';
  }
}
