import { type CheckpointFacts } from '@/plan/checkpoint-facts';
import { type RepoSource } from '@/formats/checkpoint/checkpoint-source';
import { readLicence } from '@/formats/checkpoint/model-card';
import { type CheckpointCard } from '@/protocol/group-facts';
import { type SplitFacts } from '@/jobs/scoring/group-scorer';

export interface CardParts {
  readonly role: CheckpointCard['role'];
  readonly name: string;
  readonly title: string;
  readonly repo: RepoSource;
  readonly byteLength: number;
  readonly facts: Pick<CheckpointFacts, 'parameterCount' | 'dtypes' | 'tensorCount'>;
  /** What the task is scored on. */
  readonly split: SplitFacts | null;
  /** Why it is scored on nothing. */
  readonly unscoredBecause?: string | null;
}

/** What the page shows of one checkpoint; reads the licence from its model card. */
export async function checkpointCard(parts: CardParts): Promise<CheckpointCard> {
  const { role, name, title, repo, byteLength, facts, split, unscoredBecause = null } = parts;
  const { parameterCount, dtypes, tensorCount } = facts;
  return {
    id: repo.id,
    role,
    name,
    title,
    checkpoint: repo.name,
    byteLength,
    dtypes,
    parameterCount,
    tensorCount,
    licence: await readLicence(await repo.open('README.md')),
    dataset: split,
    unscoredBecause,
  };
}
