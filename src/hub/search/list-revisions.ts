/** Which revisions of a repo can be read. */
import { isRecord } from '@/formats/checkpoint/json-file';
import { conversions } from '@/hub/hub-api';
import { type HubClient } from '@/hub/hub-client';
import { wrongAnswer } from '@/hub/hub-errors';

export interface FoundRevision {
  /** What stands behind the @ of a reference. */
  readonly revision: string;
  /** `conversion`: a pull request in which the Hub's bot wrote the weights as safetensors. */
  readonly kind: 'branch' | 'tag' | 'pull request' | 'conversion';
  /** The commit that it stands for now. */
  readonly commit: string;
}

/**
 * Branches, tags and pull requests of a repo: the main branch first, conversions next, then the
 * other branches, tags, and pull requests from the newest.
 *
 * @throws PeruError when there is no such repo, or it may not be seen; the signal's reason once
 *   aborted
 */
export async function listRevisions(
  client: HubClient,
  repo: string,
  signal: AbortSignal = new AbortController().signal,
): Promise<FoundRevision[]> {
  const about = client.about({ repo, revision: null, path: null });
  const url = new URL(`api/models/${repo}/refs?include_prs=1`, client.hub);
  const [answer, converted] = await Promise.all([
    client.apiFetch(about, signal)(url),
    convertedBy(client, repo, signal),
  ]);
  const body: unknown = await answer.json();
  if (!isRecord(body)) throw wrongAnswer(about, 'it lists no revisions');
  const ofKind = (field: string, kind: FoundRevision['kind']): FoundRevision[] => {
    const refs: unknown = body[field];
    return Array.isArray(refs) ? refs.flatMap((ref) => revisionOf(ref, kind)) : [];
  };
  const pulls = ofKind('pullRequests', 'pull request')
    .map((pull) => (converted.has(pull.revision) ? { ...pull, kind: 'conversion' as const } : pull))
    .sort((a, b) => numberOf(b) - numberOf(a));
  const all = [...ofKind('branches', 'branch'), ...ofKind('tags', 'tag'), ...pulls];
  return all.sort((a, b) => rankOf(a) - rankOf(b));
}

/** None where the Hub will not say: the pull requests are listed all the same. */
async function convertedBy(
  client: HubClient,
  repo: string,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  try {
    return new Set(await conversions(client, { repo, revision: 'main' }, signal));
  } catch {
    signal.throwIfAborted();
    return new Set();
  }
}

function revisionOf(ref: unknown, kind: FoundRevision['kind']): FoundRevision[] {
  if (!isRecord(ref)) return [];
  const { name, ref: full, targetCommit: commit } = ref;
  // A pull request goes by its full reference; its name may be its number alone.
  const revision = kind === 'pull request' ? full : name;
  if (typeof revision !== 'string' || typeof commit !== 'string') return [];
  return [{ revision, kind, commit }];
}

function numberOf({ revision }: FoundRevision): number {
  return Number(revision.slice(revision.lastIndexOf('/') + 1));
}

const RANKS: Readonly<Record<FoundRevision['kind'], number>> = {
  conversion: 1,
  branch: 2,
  tag: 3,
  'pull request': 4,
};

function rankOf({ revision, kind }: FoundRevision): number {
  return revision === 'main' && kind === 'branch' ? 0 : RANKS[kind];
}
