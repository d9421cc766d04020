/** What the page is told of a loaded group, whatever kind it is of. */
import { type CheckpointFacts } from '@/plan/checkpoint-facts';
import { type GroupScorer } from '@/jobs/scoring/group-scorer';
import { type OpenTask } from '@/jobs/scoring/scored-group';
import { type GroupFacts } from '@/protocol/group-facts';
import { checkpointCard } from './checkpoint-card';
import { type GroupSources } from './sources';

/** What its header says of a checkpoint. */
export interface CheckpointSize {
  readonly byteLength: number;
  readonly facts: Pick<CheckpointFacts, 'parameterCount' | 'dtypes' | 'tensorCount'>;
}

export interface GroupFactsParts extends Pick<GroupFacts, 'contents' | 'noAccuracyBecause'> {
  readonly sources: GroupSources;
  readonly base: CheckpointSize;
  /** In the order of the sources' tasks. */
  readonly tasks: readonly CheckpointSize[];
  readonly scorer: GroupScorer | null;
}

/** Reads the licences from the model cards. */
export async function groupFacts(parts: GroupFactsParts): Promise<GroupFacts> {
  const { sources, base, tasks, scorer, contents, noAccuracyBecause } = parts;
  const { name } = sources.base;
  const baseCard = checkpointCard({
    ...base,
    role: 'base',
    name,
    title: 'Base model',
    repo: sources.base,
    split: null,
  });
  const cards = sources.tasks.map((task, index) =>
    checkpointCard({
      ...tasks[index]!,
      role: 'task',
      name: task.name,
      title: task.title,
      repo: task.model,
      split: scorer?.splits[index] ?? null,
      unscoredBecause: scorer?.unscoredBecause[index] ?? null,
    }),
  );
  return {
    title: sources.title,
    cards: await Promise.all([baseCard, ...cards]),
    contents,
    noAccuracyBecause,
    lambda: sources.lambda,
  };
}

/** The tasks as jobs go through them. */
export function openTasks(
  { tasks }: Pick<GroupSources, 'tasks'>,
  scorer: GroupScorer | null,
): OpenTask[] {
  return tasks.map(({ name, title }, index) => {
    return { index, name, title, rowCount: scorer?.splits[index]?.rowCount ?? 0 };
  });
}
