/** Finding a repo and a revision of it, before anything is opened. */
import { listModels } from '@huggingface/hub';
import { isRecord } from '../json-file';
import { type HubDoor } from './hub-door';
import { wrongAnswer } from './hub-errors';

export interface FoundRepo {
  /** `owner/name`. */
  readonly repo: string;
  readonly gated: boolean;
  readonly downloads: number;
}

/**
 * Model repos whose name holds a text, most downloaded first.
 *
 * @throws PeruError when the Hub can not be asked
 */
export async function searchRepos(
  door: HubDoor,
  text: string,
  { limit = 10, signal = new AbortController().signal } = {},
): Promise<FoundRepo[]> {
  const about = door.about({ repo: text, revision: null, path: null });
  const found: FoundRepo[] = [];
  const models = listModels({
    search: { query: text },
    sort: 'downloads',
    limit,
    hubUrl: door.hubUrl,
    fetch: door.apiFetch(about, signal),
  });
  for await (const { name, gated, downloads } of models) {
    found.push({ repo: name, gated: gated !== false, downloads });
  }
  return found;
}

export interface FoundRevision {
  /** What stands behind the @ of a reference. */
  readonly revision: string;
  readonly kind: 'branch' | 'tag' | 'pull request';
  /** The commit that it stands for now. */
  readonly commit: string;
}

/**
 * Branches, tags and pull requests of a repo; the main branch comes first.
 *
 * @throws PeruError when there is no such repo, or it may not be seen
 */
export async function listRevisions(
  door: HubDoor,
  repo: string,
  signal: AbortSignal = new AbortController().signal,
): Promise<FoundRevision[]> {
  const about = door.about({ repo, revision: null, path: null });
  const url = new URL(`api/models/${repo}/refs?include_prs=1`, door.hub);
  const body: unknown = await (await door.apiFetch(about, signal)(url)).json();
  if (!isRecord(body)) throw wrongAnswer(about, 'it lists no revisions');
  const ofKind = (field: string, kind: FoundRevision['kind']): FoundRevision[] => {
    const refs: unknown = body[field];
    return Array.isArray(refs) ? refs.flatMap((ref) => revisionOf(ref, kind)) : [];
  };
  const all = [
    ...ofKind('branches', 'branch'),
    ...ofKind('tags', 'tag'),
    ...ofKind('pullRequests', 'pull request'),
  ];
  return all.sort((a, b) => Number(b.revision === 'main') - Number(a.revision === 'main'));
}

function revisionOf(ref: unknown, kind: FoundRevision['kind']): FoundRevision[] {
  if (!isRecord(ref)) return [];
  const { name, ref: full, targetCommit: commit } = ref;
  // A pull request goes by its full reference; its name is its number alone.
  const revision = kind === 'pull request' ? full : name;
  if (typeof revision !== 'string' || typeof commit !== 'string') return [];
  return [{ revision, kind, commit }];
}
