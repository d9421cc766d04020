/** What the worker is asked for, from the list of repos. */
import { type SourceRequest } from '@/worker/protocol';
import { hubStore } from './state';

export type HubRequest = Extract<SourceRequest, { kind: 'hub' }>;

/** Asks for the repos of the list; `base` is an id, or one of them. */
export function listedRequest(base: string | undefined): HubRequest {
  const { repos, hubUrl } = hubStore.getState();
  return {
    kind: 'hub',
    repos,
    ...(hubUrl === null ? {} : { hubUrl }),
    ...(base === undefined ? {} : { base }),
  };
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
