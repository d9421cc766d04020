/** Whether files can be made, or taken along, and why not. Pure. */
import { hasLostWorker, isDelivery } from '@/store/job/selectors';
import { type Job, type JobState } from '@/store/state/job';
import { sameRecipe } from '@/store/recipe/edits';
import { type Recipe } from '@/store/state/recipe';
import { type Weights } from '@/store/state/sources';
import { type ExportState } from '@/store/state/export';

/**
 * `computing`: the numbers of the recipe are on their way. `unfinished`: they ended early. `busy`:
 * files are being made or taken along. `gone`: what was open is lost.
 */
export type ExportReadiness = 'ready' | 'computing' | 'unfinished' | 'busy' | 'gone';

export interface ReadinessFacts {
  readonly job: Job;
  readonly weights: Weights;
  /** The recipe whose numbers are all there. */
  readonly complete: Recipe | null;
  readonly committed: Recipe;
}

export function exportReadiness(facts: ReadinessFacts): ExportReadiness {
  const { job, weights, complete, committed } = facts;
  if (job.status === 'working') return isDelivery(job.phase) ? 'busy' : 'computing';
  if (hasLostWorker({ job })) return 'gone';
  if (weights !== 'loaded') return 'computing';
  return complete !== null && sameRecipe(complete, committed) ? 'ready' : 'unfinished';
}

/** Files are there, and no other work is in hand, which taking them along would end. */
export function canTakeAlong(
  { made }: Pick<ExportState, 'made'>,
  { job }: Pick<JobState, 'job'>,
): boolean {
  return made !== null && job.status !== 'working' && !hasLostWorker({ job });
}
