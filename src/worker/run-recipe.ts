import { runAdapters } from './adapters/run-adapters';
import { runFull } from './full/run-full';
import { type LoadedGroup } from './open-group';
import { type Job } from './scoring/scored-group';

/** Streams everything the recipe asks for through `job.emit`; rejects when aborted. */
export async function runRecipe(job: Job<LoadedGroup>): Promise<void> {
  const { group } = job;
  if (group.kind === 'full') await runFull({ ...job, group });
  else await runAdapters({ ...job, group });
}
