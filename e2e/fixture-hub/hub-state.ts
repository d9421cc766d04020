/** What the fixture Hub holds, and who may see which part of it. */
import { commitOf, type FixtureFile, type FixtureFiles, type FixtureRepo } from './content';
import { type SignInState } from './sign-in-state';
import { type Exchange, sendError } from './respond';
import { type UploadState } from './upload-state';

/** First part of a repo's address in the API. */
export type RepoKind = 'models' | 'datasets';

export interface HubState {
  readonly repos: Readonly<Record<RepoKind, Map<string, FixtureRepo>>>;
  /** What each access token may read. */
  readonly tokens: Map<string, { readonly user: string; readonly repos: readonly string[] }>;
  /** Accounts whose repos each access token may make and change. */
  readonly writers: Map<string, readonly string[]>;
  /** Signed-in visitors of an app, by their tokens: they may change what the app made, and no more. */
  readonly contributors: Map<string, Contributor>;
  readonly uploads: UploadState;
  readonly pageSize: number;
  readonly hubOrigin: string;
  readonly contentOrigin: string;
  /** Accepted by the content-addressed store. */
  readonly storeToken: string;
  readonly signIn: SignInState;
  /** New names of renamed repos. */
  readonly moved: ReadonlyMap<string, string>;
}

export interface Contributor {
  readonly account: string;
  /** Repos made with the token. */
  readonly made: Set<string>;
}

export interface Place {
  readonly kind: RepoKind;
  readonly repo: FixtureRepo;
  readonly files: FixtureFiles;
  readonly commit: string;
}

export function tokenOf({ log }: Exchange): string | null {
  return log.authorization?.replace(/^Bearer /, '') ?? null;
}

export function mayRead(state: HubState, exchange: Exchange, repo: FixtureRepo): boolean {
  const token = tokenOf(exchange);
  if (token === null) return false;
  return state.tokens.get(token)!.repos.includes(repo.id) || mayWrite(state, exchange, repo.id);
}

export function mayWrite(state: HubState, exchange: Exchange, id: string): boolean {
  const token = tokenOf(exchange) ?? '';
  const accounts = state.writers.get(token) ?? [];
  return (
    accounts.includes(id.split('/')[0]!) || state.contributors.get(token)?.made.has(id) === true
  );
}

/** Whether repos may be made under the account of this name. */
export function mayMake(state: HubState, exchange: Exchange, id: string): boolean {
  const account = state.contributors.get(tokenOf(exchange) ?? '')?.account;
  return mayWrite(state, exchange, id) || account === id.split('/')[0];
}

/** The repo, where it may be seen; else the Hub's answer that it is not there. */
export function visibleRepo(
  state: HubState,
  exchange: Exchange,
  kind: RepoKind,
  id: string,
): FixtureRepo | null {
  const repo = state.repos[kind].get(id);
  if (repo?.disabled === true) {
    // Of no code: the text alone tells it.
    sendError(exchange, 403, '', 'Access to this resource is disabled.');
    return null;
  }
  if (repo !== undefined && (repo.private !== true || mayRead(state, exchange, repo))) return repo;
  // Who is not signed in is told nothing, not even whether there is such a repo.
  const status = tokenOf(exchange) === null ? 401 : 404;
  sendError(exchange, status, 'RepoNotFound', 'Repository not found');
  return null;
}

export function placeOf(
  exchange: Exchange,
  kind: RepoKind,
  repo: FixtureRepo,
  revision: string,
): Place | null {
  const name = revision === 'HEAD' ? 'main' : revision;
  for (const [branch, files] of repo.revisions) {
    const commit = commitOf(repo.id, files);
    if (branch === name || commit === name) return { kind, repo, files, commit };
  }
  // A commit stays when its branch moves on.
  const files = pastCommits.get(`${repo.id}@${name}`);
  if (files !== undefined) return { kind, repo, files, commit: name };
  sendError(exchange, 404, 'RevisionNotFound', `Invalid rev id: ${revision}`);
  return null;
}

const pastCommits = new Map<string, FixtureFiles>();

/** Lets a branch move on; its commits so far can still be read. */
export function moveBranch(repo: FixtureRepo, revision: string, files: FixtureFiles): void {
  for (const past of repo.revisions.values()) {
    pastCommits.set(`${repo.id}@${commitOf(repo.id, past)}`, past);
  }
  repo.revisions.set(revision, files);
}

export function refuseGated(exchange: Exchange): void {
  const status = tokenOf(exchange) === null ? 401 : 403;
  sendError(exchange, status, 'GatedRepo', 'Access to model is restricted.');
}

/** The file that an address of the content store names. */
export function contentFile(state: HubState, parts: readonly string[]): FixtureFile | null {
  const { kind, rest } = addressOf(parts);
  const [owner, name, commit, ...path] = rest;
  const id = `${owner ?? ''}/${name ?? ''}`;
  const repo = state.repos[kind].get(id);
  if (repo === undefined) return null;
  const now = [...repo.revisions.values()].find((files) => commitOf(id, files) === commit);
  const files = now ?? pastCommits.get(`${id}@${commit ?? ''}`);
  return files?.get(path.join('/')) ?? null;
}

/** Data sets have a part of their own before their names; models have none. */
export function addressOf(parts: readonly string[]): {
  readonly kind: RepoKind;
  readonly rest: readonly string[];
} {
  return parts[0] === 'datasets'
    ? { kind: 'datasets', rest: parts.slice(1) }
    : { kind: 'models', rest: parts };
}

/** A repo's own part of an address, without a slash in front. */
export function pathOf({ kind, repo }: Pick<Place, 'kind' | 'repo'>): string {
  return kind === 'models' ? repo.id : `${kind}/${repo.id}`;
}
