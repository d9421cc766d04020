/** Revisions of listed repos: asked for when a picker is opened, chosen for the next opening. */
import { createStore } from 'zustand/vanilla';
import { errorFacts, type ErrorFacts } from '@/core/errors';
import {
  type FoundRevision,
  listHubRevisions,
  readReference,
  type RepoRef,
  writeReference,
} from '@/hub/search/hub-find';
import { replaceReference } from '@/store/hub/references';
import { type HubState, hubStore } from '@/store/state/hub';

export type { FoundRevision, RepoRef };

export type RevisionList =
  | { readonly status: 'asking' }
  | { readonly status: 'listed'; readonly revisions: readonly FoundRevision[] }
  | { readonly status: 'failed'; readonly error: ErrorFacts };

/** By repo; those of another Hub, or seen by someone else, are forgotten. */
export const revisionStore = createStore<Readonly<Record<string, RevisionList>>>(() => ({}));

hubStore.subscribe((now, before) => {
  const isSame = now.hubUrl === before.hubUrl && now.accessToken === before.accessToken;
  if (!isSame) revisionStore.setState({}, true);
});

/** Asks for a repo's revisions, unless they are known. */
export async function askRevisions(repo: string): Promise<void> {
  const known = revisionStore.getState()[repo];
  if (known !== undefined && known.status !== 'failed') return;
  const asker = hubStore.getState();
  const isCurrent = (): boolean => {
    const { hubUrl, accessToken } = hubStore.getState();
    return hubUrl === asker.hubUrl && accessToken === asker.accessToken;
  };
  revisionStore.setState({ [repo]: { status: 'asking' } });
  const list = await listHubRevisions(asker, repo, new AbortController().signal).then(
    (revisions): RevisionList => ({ status: 'listed', revisions }),
    (error: unknown): RevisionList => ({ status: 'failed', error: errorFacts(error) }),
  );
  if (isCurrent()) revisionStore.setState({ [repo]: list });
}

/**
 * Reads a listed repo at another revision from the next opening on; null: its main branch.
 *
 * @returns the reference that stands in the list now; null where the text can be no revision
 */
export function chooseRevision(reference: string, revision: string | null): string | null {
  const { hubUrl } = hubStore.getState();
  const ref = readReference(reference, hubUrl);
  if (ref === null) return null;
  const next = writeReference({ ...ref, revision: revision === 'main' ? null : revision });
  if (readReference(next, hubUrl) === null) return null;
  hubStore.setState(({ repos }) => ({ repos: replaceReference(repos, reference, next) }));
  return next;
}

/** What a listed text names; null where it names no model repo of the Hub in use. */
export function referenceOf(
  reference: string,
  { hubUrl }: Pick<HubState, 'hubUrl'>,
): RepoRef | null {
  return readReference(reference, hubUrl);
}

/** `owner/name`, with its folder. */
export function placeOf({ repo, path }: RepoRef): string {
  return writeReference({ repo, path, revision: null });
}

/** The commit that a listed reference was read at, from the ids of what is open; null: none. */
export function commitRead(place: string, openIds: readonly string[]): string | null {
  for (const id of openIds) {
    const at = id.lastIndexOf('@');
    const isIt = at > 0 && (id.slice(0, at) === place || id.startsWith(`${place}/`));
    if (isIt) return id.slice(at + 1);
  }
  return null;
}
