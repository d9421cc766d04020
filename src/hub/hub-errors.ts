/** What the Hub's refusals mean to a visitor, and what to do about each. */
import { PeruError } from '@/core/errors';
import { retryAfterMs, type RetryPolicy, TransientError, unsaidWait } from '@/core/retry';

/** What a request was for. */
export interface About {
  readonly hub: URL;
  readonly repo: string;
  /** As asked for, before it was pinned. */
  readonly revision: string | null;
  /** Null for what concerns the repo as a whole. */
  readonly path: string | null;
  readonly hasToken: boolean;
}

const TRANSIENT: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);
/** Longest part of the Hub's own words that is shown, in characters. */
const MAX_WORDS = 240;

/** The page where a person is let in, or sees what is there. */
export function repoPage({ hub, repo }: Pick<About, 'hub' | 'repo'>): string {
  return new URL(repo, withSlash(hub)).href;
}

/** What messages call the thing asked for. */
function labelOf({ repo, path }: Pick<About, 'repo' | 'path'>): string {
  return path === null ? repo : `${repo}/${path}`;
}

/** A URL to resolve relative paths against. */
export function withSlash(hub: URL): URL {
  return new URL(hub.href.endsWith('/') ? hub.href : `${hub.href}/`);
}

/** The error for an answer that is none: transient where trying again may help. */
export function statusError(
  response: Response,
  about: About,
  policy: RetryPolicy,
): PeruError | TransientError {
  const { status, headers } = response;
  const host = hostElsewhere(response, about);
  if (host !== null && (status === 401 || status === 403)) {
    // A signature that does not hold, or not any more: the Hub makes another when asked again.
    return new TransientError(notHandedOut(about, host, status));
  }
  const code = headers.get('x-error-code');
  if (status === 429) {
    const wait = retryAfterMs(headers);
    const waits = { retryAfterMs: wait, limitMs: wait ?? unsaidWait(policy) };
    return new TransientError(rateLimited(about, wait), { ...waits, elsewhere: false });
  }
  if (TRANSIENT.has(status)) {
    return new TransientError(serverBroken(about, status), { retryAfterMs: retryAfterMs(headers) });
  }
  if (code === 'GatedRepo') return gated(about);
  if (code === 'RevisionNotFound') return noRevision(about);
  if (code === 'EntryNotFound') return noFile(about);
  if (status === 401) return about.hasToken ? badToken(about) : noRepo(about);
  if (status === 403) return refused(about, oneLine(headers.get('x-error-message') ?? ''));
  if (status === 404 || status === 410) {
    if (code === 'RepoNotFound' || about.path === null) return noRepo(about);
    return noFile(about);
  }
  return new PeruError(
    'source',
    `${labelOf(about)} could not be fetched: ${about.hub.host} answered ${status}.`,
    `Open ${repoPage(about)} to see whether the Hub shows the repo, and try again.`,
  );
}

/** The host that answered in the Hub's place; null where the Hub did itself. */
export function hostElsewhere({ url }: Response, { hub }: About): string | null {
  if (!URL.canParse(url)) return null;
  const { origin, host } = new URL(url);
  return origin === hub.origin ? null : host;
}

/** What the Hub itself says, on one line. */
export function oneLine(words: string): string {
  const line = words.replace(/[\p{Cc}\s]+/gu, ' ').trim();
  return line.length <= MAX_WORDS ? line : `${line.slice(0, MAX_WORDS)}…`;
}

function notHandedOut(about: About, host: string, status: number): PeruError {
  return new PeruError(
    'source',
    `${labelOf(about)} could not be fetched: ${host}, where ${about.hub.host} keeps the file, did not hand it out (${status}), time after time.`,
    'Check that this device’s clock is right, and turn off proxies and extensions that change addresses; then try again.',
  );
}

function rateLimited(about: About, waitMs: number | null): PeruError {
  const when = waitMs === null ? 'in a few minutes' : `in ${Math.ceil(waitMs / 1000)} seconds`;
  const more = about.hasToken ? '' : ' Signed-in visitors may ask more often.';
  return new PeruError(
    'source',
    `${labelOf(about)} could not be fetched: ${about.hub.host} answers too many requests from this network (429).`,
    `Try again ${when}.${more}`,
    { mayPass: true },
  );
}

function serverBroken(about: About, status: number): PeruError {
  return new PeruError(
    'source',
    `${labelOf(about)} could not be fetched: ${about.hub.host} is busy or broken (${status}), time after time.`,
    'Try again in a few minutes; status.huggingface.co says whether the Hub has a known fault.',
    { mayPass: true },
  );
}

function badToken(about: About): PeruError {
  return new PeruError(
    'source',
    `${about.hub.host} did not accept the access token for ${labelOf(about)}: it is wrong, expired or was revoked.`,
    'Sign in again, or paste a token with read access from the Hub’s settings, under Access Tokens.',
  );
}

/** A repo that is disabled, a token that may not, a network that is kept away: the Hub says which. */
function refused(about: About, words: string): PeruError {
  const why = words === '' ? 'does not say why' : `says “${words}”`;
  const page = `Open ${repoPage(about)} to see whether the Hub shows the repo to you`;
  return new PeruError(
    'source',
    `${about.hub.host} refuses ${labelOf(about)} (403) and ${why}.`,
    about.hasToken
      ? `${page}; if it does, give the access token read access to ${about.repo} in the Hub’s settings, under Access Tokens.`
      : `${page}: it may be disabled, or kept from this network.`,
  );
}

function gated(about: About): PeruError {
  return new PeruError(
    'source',
    `${about.repo} is gated: its owner lets in whoever asks and accepts the conditions.`,
    about.hasToken
      ? `Ask for access at ${repoPage(about)}, and try again once it is granted.`
      : `Ask for access at ${repoPage(about)}, then sign in here or paste a token with read access.`,
  );
}

/** There may be something else of that name. */
export class NoRepoError extends PeruError {}

function noRepo(about: About): NoRepoError {
  return about.hasToken
    ? new NoRepoError(
        'source',
        `${about.hub.host} has no model repo ${about.repo} that this access token may see: there is none, or it is private.`,
        'Check the spelling, and that the token belongs to someone who may see the repo.',
      )
    : new NoRepoError(
        'source',
        `${about.hub.host} has no public model repo ${about.repo}: there is none, or it is private.`,
        'Check the spelling; for a private repo sign in, or paste a token with read access.',
      );
}

/** The repo is there. */
export class NoRevisionError extends PeruError {}

function noRevision(about: About): NoRevisionError {
  return new NoRevisionError(
    'source',
    `${about.repo} has no revision "${about.revision ?? 'main'}".`,
    `Take a branch, tag or commit that ${repoPage(about)}/commits lists, or refs/pr/N for pull request N.`,
  );
}

/** The repo and its revision are there; the file or folder is not. */
export class NoEntryError extends PeruError {}

function noFile(about: About): NoEntryError {
  return new NoEntryError(
    'source',
    `${about.repo} has no file ${about.path ?? ''} at ${about.revision ?? 'main'}.`,
    `See which files there are at ${repoPage(about)}/tree/${encodeURIComponent(about.revision ?? 'main')}.`,
  );
}

/** The connection failed before an answer came. */
export function offline(about: About, cause: unknown): PeruError {
  return new PeruError(
    'source',
    `${labelOf(about)} could not be fetched: this device is offline.`,
    'Connect to the network and try again.',
    { cause, mayPass: true },
  );
}

export function unreachable(about: About, host: string, cause: unknown): PeruError {
  return new PeruError(
    'source',
    `${labelOf(about)} could not be fetched: the connection to ${host} failed time after time, or the browser kept the answer from this page (CORS).`,
    'Check the address of the Hub and the network connection, and whether a firewall, a proxy or an extension keeps the host away; then try again.',
    { cause, mayPass: true },
  );
}

/** The page's own policy keeps it from the host. */
export function notAllowed(about: About, host: string): PeruError {
  return new PeruError(
    'source',
    `${labelOf(about)} could not be fetched: this copy of Peru may talk to huggingface.co and to this machine, not to ${host} (Content-Security-Policy).`,
    'Use huggingface.co or a mirror of it on this machine; or serve Peru yourself, built with the Hub’s address among HUB_ORIGINS in vite.config.ts.',
  );
}

/** The Hub answers, but this request's answer did not come through. */
export function blocked(about: About, cause: unknown): PeruError {
  return new PeruError(
    'source',
    `${labelOf(about)} could not be fetched: ${about.hub.host} answers, but the host that it sends the file from can not be reached, or the browser kept its answer from this page (CORS).`,
    'Turn off extensions, firewalls and proxies that keep hosts away or change answers; or download the files and add them from disk.',
    { cause },
  );
}

/** The transfer began and ended early. */
export function brokeOff(about: About, cause: unknown): PeruError {
  return new PeruError(
    'source',
    `${labelOf(about)} broke off: the connection was lost in the middle, time after time.`,
    'Check the network connection and try again.',
    { cause, mayPass: true },
  );
}

/** An answer that does not hold what was asked for: never used, never asked for again. */
export function wrongAnswer(about: About, what: string): PeruError {
  return new PeruError(
    'source',
    `The answer for ${labelOf(about)} can not be trusted: ${what}.`,
    'Try again without proxies or extensions that change answers; if it stays, download the file and add it from disk.',
  );
}
