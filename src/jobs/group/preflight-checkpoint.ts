import { type CheckpointFacts } from '@/plan/checkpoint-facts';
import { type PreflightCheckpoint } from '@/plan/preflight';
import { type RepoSource } from '@/formats/checkpoint/checkpoint-source';

/** A repo of the Hub knows the commit it is read at. */
type MaybeHub = RepoSource & { readonly hub?: { readonly repo: string; readonly commit: string } };

export interface PreflightParts {
  readonly repo: MaybeHub;
  /** Null for the base. */
  readonly task: { readonly name: string; readonly title: string } | null;
  readonly byteLength: number;
  readonly facts: Pick<CheckpointFacts, 'parameterCount' | 'dtypes' | 'tensorCount'>;
  readonly licence: string | null;
}

/** What the report shows of one checkpoint. */
export function preflightCheckpoint(parts: PreflightParts): PreflightCheckpoint {
  const { repo, task, byteLength, facts, licence } = parts;
  const { parameterCount, dtypes, tensorCount } = facts;
  return {
    id: repo.id,
    role: task === null ? 'base' : 'task',
    name: task?.name ?? repo.name,
    title: task?.title ?? 'Base model',
    origin: originOf(repo),
    byteLength,
    dtypes,
    parameterCount,
    tensorCount,
    licence,
  };
}

/** Digits of a commit that people write. */
const SHORT_COMMIT = 7;

function originOf({ hub, folder, id }: MaybeHub): string {
  if (hub !== undefined) return `${hub.repo} at ${hub.commit.slice(0, SHORT_COMMIT)}`;
  return folder === '' ? id : folder;
}
