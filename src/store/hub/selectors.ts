import { type SourceRequest } from '@/store/state/sources';
import { hubHost } from './hub-url';
import { type HubState } from '@/store/state/hub';

export function selectRepos(state: HubState): readonly string[] {
  return state.repos;
}

export function selectHub({ hubUrl }: HubState): string | null {
  return hubUrl;
}

export function selectKept({ kept }: HubState): HubState['kept'] {
  return kept;
}

export function selectKeptRepos({ keptRepos }: HubState): HubState['keptRepos'] {
  return keptRepos;
}

export function selectIsDiskFull({ isDiskFull }: HubState): boolean {
  return isDiskFull;
}

/** Host of the Hub that a request reads from; null for what is no Hub's. */
export function hostOf(request: SourceRequest | null): string | null {
  return request?.kind === 'hub' ? hubHost(request.hubUrl) : null;
}
