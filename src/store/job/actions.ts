/**
 * Starts and stops work. One job at a time, the latest wins: whatever an older job still says is
 * not heard. The worker drops the older job by itself.
 */
import { errorFacts, type ErrorKind } from '@/tensor/errors';
import { type JobEvent, type JobOutcome, type SourceRequest } from '@/worker/protocol';
import { asListed, withToken } from '@/store/hub/request';
import { adoptGroupLambda, adoptGroupRanks } from '@/store/recipe/edits';
import { recipeStore } from '@/store/recipe/state';
import { dropStale, hearResult, resetResults } from '@/store/results/actions';
import { sourcesStore } from '@/store/sources/state';
import { connectedWorker } from '@/store/worker-handle';
import { nextPace, type Progress } from './pace';
import { type ErrorFacts, INITIAL_JOB_STATE, jobStore, type Phase } from './state';

/** One per job; `abort` makes everything it still says unheard. */
let current = new AbortController();

/** The alert that a job's failure raised: it goes once a later job ends well. */
let failureShown: ErrorFacts | null = null;

/** After these the weights are gone, or the room for them is: a run alone would fail again. */
const RELOAD_AFTER: readonly ErrorKind[] = ['device-lost', 'out-of-memory', 'worker-stopped'];

/** Opens a source, then runs the recipe on it. Results and alert of what was open go. */
export async function openSource(request: SourceRequest): Promise<void> {
  sourcesStore.setState({ request, group: null, weights: 'loading' });
  resetResults();
  jobStore.setState({ alert: null, memory: null });
  const opened = await startJob('open', (onEvent) =>
    connectedWorker().open(withToken(request), onEvent),
  );
  if (opened) await runRecipe();
}

/** Runs the committed recipe on the open group; nothing happens while none is open. */
export async function runRecipe(): Promise<void> {
  if (sourcesStore.getState().weights !== 'loaded') return;
  const recipe = recipeStore.getState().committed;
  dropStale(recipe);
  await startJob('run', (onEvent) => connectedWorker().run(recipe, onEvent));
}

/** Stops the work in hand; results so far stay. */
export function cancelJob(): void {
  const { job } = jobStore.getState();
  if (job.status !== 'working') return;
  current.abort();
  settle(job.phase, { status: 'cancelled' }, 0);
  connectedWorker().cancel().catch(raiseAlert);
}

/**
 * Does again what failed or was cancelled. A lost device or worker means loading anew; what never
 * opened is asked for as the visitor has it listed by now.
 */
export function retryJob(): void {
  const { job } = jobStore.getState();
  const { request, weights } = sourcesStore.getState();
  const mustReload = job.status === 'failed' && RELOAD_AFTER.includes(job.error.kind);
  jobStore.setState({ alert: null });
  if (weights === 'loaded' && !mustReload) void runRecipe();
  else if (request !== null) void openSource(weights === 'loaded' ? request : asListed(request));
}

export function dismissAlert(): void {
  jobStore.setState({ alert: null });
}

/** Shows a trouble that no job has met, unless an earlier one is still being shown. */
export function raiseAlert(error: unknown): void {
  const facts = errorFacts(error);
  jobStore.setState(({ alert }) => ({ alert: alert ?? facts }));
}

/** Back to the first state; for tests and for a page that starts over. */
export function resetJob(): void {
  current.abort();
  jobStore.setState(INITIAL_JOB_STATE);
}

/** A job's failure must be seen: it gives way only to an earlier one. */
function showFailure(error: ErrorFacts): void {
  const { alert } = jobStore.getState();
  if (alert !== null && alert === failureShown) return;
  failureShown = error;
  jobStore.setState({ alert: error });
}

/** Runs one job to its end. Returns whether it ended well and is still the current one. */
async function startJob(
  phase: Phase,
  start: (onEvent: (event: JobEvent) => void) => Promise<JobOutcome>,
): Promise<boolean> {
  current.abort();
  current = new AbortController();
  const { signal } = current;
  const startedMs = performance.now();
  latestProgress = null;
  jobStore.setState({ job: { status: 'working', phase, pace: null } });
  const outcome = await start((event) => {
    if (!signal.aborted) hear(event);
  }).catch((error: unknown): JobOutcome => ({ status: 'failed', error: errorFacts(error) }));
  if (signal.aborted) return false;
  flushProgress();
  settle(phase, outcome, (performance.now() - startedMs) / 1000);
  return outcome.status === 'done';
}

function settle(phase: Phase, outcome: JobOutcome, seconds: number): void {
  if (phase === 'open') {
    sourcesStore.setState({ weights: outcome.status === 'done' ? 'loaded' : 'absent' });
  }
  switch (outcome.status) {
    case 'done':
      // Opening ends in a run at once: nothing is done yet.
      if (phase === 'run') settleDone(seconds);
      return;
    case 'cancelled':
      jobStore.setState({ job: { status: 'cancelled', phase } });
      return;
    case 'failed':
      jobStore.setState({ job: { status: 'failed', phase, error: outcome.error } });
      showFailure(outcome.error);
  }
}

/** What no job raised, such as a drop that could not be read, stays until it is dismissed. */
function settleDone(seconds: number): void {
  jobStore.setState(({ alert }) => ({
    job: { status: 'done', seconds },
    alert: alert === failureShown ? null : alert,
  }));
}

function hear(event: JobEvent): void {
  switch (event.type) {
    case 'engine': {
      const { engine, adapter, evaluator } = event;
      jobStore.setState({ engine: { engine, adapter, evaluator } });
      return;
    }
    case 'memory': {
      const { liveBytes, peakBytes } = event;
      jobStore.setState({ memory: { liveBytes, peakBytes } });
      return;
    }
    case 'group':
      sourcesStore.setState({ group: event.group });
      adoptGroupLambda(event.group.lambda);
      if (event.group.contents.kind === 'adapters') adoptGroupRanks(event.group.contents);
      return;
    case 'progress':
      hearProgress(event.progress);
      return;
    case 'histograms':
    case 'spectra':
    case 'score':
    case 'sparse':
    case 'low-rank':
    case 'storage':
    case 'stage':
      hearResult(event);
  }
}

let latestProgress: Progress | null = null;
let frame: ReturnType<typeof setTimeout> | null = null;

/** About one frame of a 60 Hz screen: progress is drawn no oftener. */
const FRAME_MS = 16;

function hearProgress(progress: Progress): void {
  latestProgress = progress;
  frame ??= setTimeout(flushProgress, FRAME_MS);
}

function flushProgress(): void {
  if (frame !== null) clearTimeout(frame);
  frame = null;
  const progress = latestProgress;
  latestProgress = null;
  const { job } = jobStore.getState();
  if (progress === null || job.status !== 'working') return;
  jobStore.setState({ job: { ...job, pace: nextPace(job.pace, progress, performance.now()) } });
}
