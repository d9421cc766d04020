/** Whether Start can be pressed. Pure. */
import { type Job } from '@/store/state/job';
import { fitsBudget } from './preflight';
import { type SourcesState } from '@/store/state/sources';

/**
 * `ready`: Start loads the weights by the report shown. Else why it can not: `busy`, something is
 * under way or done already; `too-small`, not even streaming fits the budget; `unplanned`, the
 * report does not belong to the choices made since.
 */
export type StartState = 'ready' | 'busy' | 'too-small' | 'unplanned';

export function startState(
  { preflight, weights }: Pick<SourcesState, 'preflight' | 'weights'>,
  job: Job,
): StartState {
  if (preflight === null || job.status === 'working') return 'busy';
  switch (weights) {
    case 'checking':
    case 'loading':
    case 'loaded':
      return 'busy';
    case 'waiting':
      if (job.status !== 'waiting') return 'unplanned';
      break;
    case 'absent':
      // Loading ended early: the report still says what loading again will do.
      if (!('phase' in job) || job.phase !== 'load') return 'unplanned';
  }
  return fitsBudget(preflight.memory) ? 'ready' : 'too-small';
}
