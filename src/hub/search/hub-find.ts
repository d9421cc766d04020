/**
 * What the page asks of a Hub outside of jobs: which repos match what is typed, which revisions one
 * has, and who signs in. Small answers that need no worker; the code comes when it is first needed.
 */
// Types alone: anything else would bring the code along from the start.
import type { FoundRepo } from './find-repos';
import type { HubClient } from '@/hub/hub-client';
import type { FoundRevision } from './list-revisions';
import { loadPart } from '@/core/load-part';
import type { PendingSignIn, SignedIn, SignInRequest } from './oauth';
import { formatRepoRef, parseRepoRef, type RepoRef } from '@/hub/repo-ref';
import { PeruError } from '@/core/errors';

export type { FoundRepo, FoundRevision, PendingSignIn, RepoRef, SignedIn, SignInRequest };

/** Which Hub is asked, and by whom. */
export interface HubAsker {
  /** Null: the public Hub. */
  readonly hubUrl: string | null;
  /** Sent to that Hub's origin only; empty: none. */
  readonly accessToken: string;
}

/** Who types does not wait long: the next letter asks again. */
const IMPATIENT = { maxFailures: 2, baseDelayMs: 300, maxRetryAfterMs: 2000, stallMs: 10_000 };

/**
 * Model repos whose name holds a text, most downloaded first.
 *
 * @throws PeruError when the Hub can not be asked; the signal's reason once aborted
 */
export async function findHubRepos(
  asker: HubAsker,
  text: string,
  signal: AbortSignal,
): Promise<readonly FoundRepo[]> {
  const [client, { findRepos }] = await Promise.all([
    doorFor(asker),
    loadPart(() => import('./find-repos')),
  ]);
  signal.throwIfAborted();
  return findRepos(client, text, { signal });
}

/**
 * Branches, tags and pull requests of a repo, the likeliest first.
 *
 * @throws PeruError when there is no such repo, or it may not be seen; the signal's reason once
 *   aborted
 */
export async function listHubRevisions(
  asker: HubAsker,
  repo: string,
  signal: AbortSignal,
): Promise<readonly FoundRevision[]> {
  const [client, { listRevisions }] = await Promise.all([
    doorFor(asker),
    loadPart(() => import('./list-revisions')),
  ]);
  signal.throwIfAborted();
  return listRevisions(client, repo, signal);
}

/** What reading takes: who it is, private repos, and gated ones that let this person in. */
export const READ_SCOPES: readonly string[] = ['openid', 'profile', 'read-repos', 'gated-repos'];

/**
 * Prepares a sign-in: where the Hub asks the person, and what turns the answer into a token.
 *
 * @throws PeruError `source` when the Hub can not be asked; the signal's reason once aborted
 */
export async function beginHubSignIn(
  request: SignInRequest,
  signal: AbortSignal,
): Promise<PendingSignIn> {
  const { beginSignIn } = await loadPart(() => import('./oauth'));
  signal.throwIfAborted();
  return beginSignIn(request, signal);
}

/** What a listed text names; null where it names no model repo of this Hub. */
export function readReference(text: string, hubUrl: string | null): RepoRef | null {
  try {
    return parseRepoRef(text, hubUrl ?? undefined);
  } catch (error) {
    if (error instanceof PeruError) return null;
    throw error;
  }
}

/** The shortest text that names the same. */
export function writeReference(ref: RepoRef): string {
  return formatRepoRef(ref);
}

async function doorFor({ hubUrl, accessToken }: HubAsker): Promise<HubClient> {
  const { HubClient: Client } = await loadPart(() => import('@/hub/hub-client'));
  return new Client({ hubUrl: hubUrl ?? undefined, accessToken, retry: IMPATIENT });
}
