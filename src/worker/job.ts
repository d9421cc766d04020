import { type OpenGroup } from './open-group';
import { type JobEvent, type Recipe } from './protocol';

/** One run of a recipe on the open group. */
export interface Job {
  readonly group: OpenGroup;
  readonly recipe: Recipe;
  readonly emit: (event: JobEvent) => void;
  readonly signal: AbortSignal;
}

/** Runs a stage and reports its wall time under a name of results.json. */
export async function timeStage(
  { emit }: Pick<Job, 'emit'>,
  name: string,
  work: () => Promise<void>,
): Promise<void> {
  const start = performance.now();
  await work();
  emit({ type: 'stage', name, seconds: (performance.now() - start) / 1000 });
}
