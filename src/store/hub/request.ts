/** What the worker is asked for, from the list of repos. */
import { readReference, writeReference } from '@/hub/search/hub-find';
import { type SourceRequest } from '@/protocol/requests';
import { presetOfRepos } from './preset-of';
import { hubStore } from '@/store/state/hub';

export type HubRequest = Extract<SourceRequest, { kind: 'hub' }>;

/** Asks for the repos of the list; `base` is an id, or one of them. */
export function listedRequest(base: string | undefined): HubRequest {
  const { repos, hubUrl } = hubStore.getState();
  const preset = presetOfRepos(repos);
  return {
    kind: 'hub',
    repos,
    ...(hubUrl === null ? {} : { hubUrl }),
    ...(base === undefined ? {} : { base }),
    ...(preset === null ? {} : { preset }),
  };
}

/**
 * The base of what was opened before, as the list has it by now: where another revision of it was
 * chosen since, that one.
 */
export function listedBase({ base, repos: opened }: HubRequest): string | undefined {
  const { repos, hubUrl } = hubStore.getState();
  if (base === undefined || repos.includes(base)) return base;
  const place = placeIn(base, hubUrl);
  const moved = repos.filter((one) => !opened.includes(one) && placeIn(one, hubUrl) === place);
  return place !== null && moved.length === 1 ? moved[0] : base;
}

function placeIn(reference: string, hubUrl: string | null): string | null {
  const ref = readReference(reference, hubUrl);
  return ref === null ? null : writeReference({ ...ref, revision: null });
}

/**
 * A request for repos, brought up to the list as the visitor has left it since. What was agreed to
 * about the repos before, NaN inside, does not hold for others.
 */
export function asListed(request: SourceRequest): SourceRequest {
  if (request.kind !== 'hub') return request;
  const listed = listedRequest(request.base);
  const isSame =
    listed.hubUrl === request.hubUrl && listed.repos.join(' ') === request.repos.join(' ');
  return isSame || listed.repos.length === 0 ? request : listed;
}

/**
 * Adds the access token on the way to the worker, for the Hub it was typed for and no other: the
 * requests that the stores keep never hold it.
 */
export function withToken(request: SourceRequest): SourceRequest {
  if (request.kind !== 'hub') return request;
  const { hubUrl, accessToken } = hubStore.getState();
  const isForThisHub = (request.hubUrl ?? null) === hubUrl;
  return accessToken !== '' && isForThisHub ? { ...request, accessToken } : request;
}
