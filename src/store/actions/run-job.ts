/** Runs jobs one at a time: what they say while they work, and what their ends change. */
import { errorFacts } from '@/core/errors';
import { loadPart } from '@/core/load-part';
import { type JobEvent, type JobOutcome } from '@/protocol/events';
import { recipeStore } from '@/store/state/recipe';
import { markComplete, showResults } from './results';
import { fitsBudget } from '@/store/sources/preflight';
import { sourcesStore } from '@/store/state/sources';
import { connectedWorker } from '@/store/state/worker-handle';
import { dropProgress, flushProgress, handleEvent } from './handle-events';
import { rememberRate } from '@/store/job/rates';
import { GONE_AFTER } from '@/store/job/selectors';
import {
  type ErrorFacts,
  INITIAL_JOB_STATE,
  type Job,
  jobStore,
  type Phase,
} from '@/store/state/job';

/** One per job; `abort` makes everything it still says unheard. */
let current = new AbortController();

/** The alert that a job's failure raised: it goes once a later job ends well. */
let failureShown: ErrorFacts | null = null;

/** Runs one job to its end. Returns whether it ended well and is still the current one. */
export async function startJob(
  phase: Phase,
  start: (onEvent: (event: JobEvent) => void) => Promise<JobOutcome>,
): Promise<boolean> {
  current.abort();
  current = new AbortController();
  const { signal } = current;
  const startedMs = performance.now();
  dropProgress();
  jobStore.setState({ job: { status: 'working', phase, pace: null }, pause: null });
  const outcome = await start((event) => {
    if (!signal.aborted) handleEvent(event);
  }).catch((error: unknown): JobOutcome => ({ status: 'failed', error: errorFacts(error) }));
  if (signal.aborted) return false;
  flushProgress();
  settle(phase, outcome, (performance.now() - startedMs) / 1000);
  return outcome.status === 'done';
}

/** Stops the work in hand; results so far stay. */
export function cancelJob(): void {
  const { job } = jobStore.getState();
  if (job.status !== 'working') return;
  current.abort();
  settle(job.phase, { status: 'cancelled' }, 0);
  connectedWorker().cancel().catch(raiseAlert);
}

/** Shows a trouble that no job has met, unless an earlier one is still being shown. */
export function raiseAlert(error: unknown): void {
  const facts = errorFacts(error);
  jobStore.setState(({ alert }) => ({ alert: alert ?? facts }));
}

/** A part of the page's script; null where it can not be had, which the visitor is told. */
export async function pagePart<T>(load: () => Promise<T>): Promise<T | null> {
  try {
    return await loadPart(load);
  } catch (error) {
    raiseAlert(error);
    return null;
  }
}

/** The alert of a job that failed goes: the visitor asks for something again. */
export function forgetFailure(): void {
  jobStore.setState(({ alert }) => (alert === failureShown ? { alert: null } : {}));
}

/** Back to the first state; for tests and for a page that starts over. */
export function resetJob(): void {
  current.abort();
  jobStore.setState(INITIAL_JOB_STATE);
}

/** Whether what has just been opened needs no word, or has it. */
export function startsNow(): boolean {
  const { preflight, start } = sourcesStore.getState();
  if (preflight === null || !fitsBudget(preflight.memory)) return false;
  return preflight.startsByItself || start === 'agreed';
}

function settle(phase: Phase, outcome: JobOutcome, seconds: number): void {
  showResults();
  jobStore.setState({ pause: null });
  settleWeights(phase, outcome);
  switch (outcome.status) {
    case 'done':
      settleDone(phase, seconds);
      return;
    case 'cancelled':
      jobStore.setState({ job: { status: 'cancelled', phase } });
      return;
    case 'failed':
      jobStore.setState({ job: { status: 'failed', phase, error: outcome.error } });
      showFailure(outcome.error);
  }
}

function settleWeights(phase: Phase, outcome: JobOutcome): void {
  switch (phase) {
    case 'open':
      if (outcome.status !== 'done') sourcesStore.setState({ weights: 'absent' });
      // Else nothing is ever seen to wait: loading begins at once.
      else if (!startsNow()) sourcesStore.setState({ weights: 'waiting' });
      return;
    case 'plan': {
      const isGone = outcome.status === 'failed' && GONE_AFTER.includes(outcome.error.kind);
      // A cancelled plan may be half made.
      if (outcome.status === 'cancelled' || isGone) sourcesStore.setState({ weights: 'absent' });
      return;
    }
    case 'load':
      if (outcome.status === 'done') rememberRate();
      sourcesStore.setState({ weights: outcome.status === 'done' ? 'loaded' : 'absent' });
      return;
    case 'run':
    case 'export':
    case 'zip':
    case 'save':
    case 'upload':
  }
}

/** A job's failure must be seen: it gives way only to an earlier one. */
function showFailure(error: ErrorFacts): void {
  const { alert } = jobStore.getState();
  if (alert !== null && alert === failureShown) return;
  failureShown = error;
  jobStore.setState({ alert: error });
}

/** What no job raised, such as a drop that could not be read, stays until it is dismissed. */
function settleDone(phase: Phase, seconds: number): void {
  // Another recipe would have begun another job.
  if (phase === 'run') markComplete(recipeStore.getState().committed);
  jobStore.setState(({ job, alert }) => ({
    job: jobAfter(phase, seconds) ?? job,
    alert: alert === failureShown ? null : alert,
  }));
}

/** Null where the next job begins at once: nothing is done yet. */
function jobAfter(ended: Phase, seconds: number): Job | null {
  if (ended !== 'open' && ended !== 'plan' && ended !== 'load') {
    return { status: 'done', phase: ended, seconds };
  }
  return sourcesStore.getState().weights === 'waiting' ? { status: 'waiting' } : null;
}
