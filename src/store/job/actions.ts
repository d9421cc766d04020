/**
 * Starts and stops work. One job at a time, the latest wins: whatever an older job still says is
 * not heard. The worker drops the older job by itself.
 *
 * A source goes through three jobs: `open` reads headers and tells what it will cost, `load` moves
 * the weights once the visitor has said so, `run` computes a recipe, and again for each new one.
 */
import { errorFacts, type ErrorKind } from '@/tensor/errors';
import {
  type JobEvent,
  type JobOutcome,
  type PlanChoices,
  type SourceRequest,
} from '@/worker/protocol';
import { asListed, withToken } from '@/store/hub/request';
import { recipeStore } from '@/store/recipe/state';
import { dropStale, resetResults } from '@/store/results/actions';
import { setBudget, settingsStore } from '@/store/settings/state';
import { fitsBudget } from '@/store/sources/preflight';
import { startState } from '@/store/sources/start-state';
import { samePatterns } from '@/store/sources/patterns';
import { type NamePatterns, NO_PATTERNS, sourcesStore } from '@/store/sources/state';
import { connectedWorker } from '@/store/worker-handle';
import { dropProgress, flushProgress, hear } from './hear';
import { rememberRate } from './rates';
import { type ErrorFacts, INITIAL_JOB_STATE, type Job, jobStore, type Phase } from './state';

/** One per job; `abort` makes everything it still says unheard. */
let current = new AbortController();

/** The alert that a job's failure raised: it goes once a later job ends well. */
let failureShown: ErrorFacts | null = null;

/** After these the weights are gone, or the room for them is: a run alone would fail again. */
const RELOAD_AFTER: readonly ErrorKind[] = ['device-lost', 'out-of-memory', 'worker-stopped'];

/** After these the worker has nothing open any more. */
const GONE_AFTER: readonly ErrorKind[] = ['device-lost', 'worker-stopped'];

export interface Opening {
  /** `agreed`: the visitor has pressed Start for just this before. */
  readonly start?: 'ask' | 'agreed';
  readonly patterns?: NamePatterns;
}

/**
 * Opens a source. What costs little goes on to its numbers by itself; else the report waits for
 * `startLoading`. Results and alert of what was open go.
 */
export async function openSource(
  request: SourceRequest,
  { start = 'ask', patterns = NO_PATTERNS }: Opening = {},
): Promise<void> {
  sourcesStore.setState({
    request,
    preflight: null,
    group: null,
    weights: 'checking',
    start,
    patterns,
  });
  resetResults();
  jobStore.setState({ alert: null, memory: null });
  const opened = await startJob('open', (onEvent) =>
    connectedWorker().open(withToken(request), planChoices(), onEvent),
  );
  if (opened && startsNow()) await loadWeights();
}

/** The visitor's word: loads the weights of the report and runs the recipe on them. */
export async function startLoading(): Promise<void> {
  const sources = sourcesStore.getState();
  const { request, weights, patterns } = sources;
  if (request === null || startState(sources, jobStore.getState().job) !== 'ready') return;
  if (weights === 'waiting') await loadWeights();
  // Loading ended early. The worker may be gone, and a token may be new: only opening sends it.
  else await openSource(request, { start: 'agreed', patterns });
}

/**
 * Plans by other choices; the report follows, and Start is asked for again. Results of what was
 * loaded go. The report and the choices stay also where planning fails: they are the way out.
 */
export async function replan(change: Partial<PlanChoices>): Promise<void> {
  const before = planChoices();
  const { budgetBytes, include, exclude } = { ...before, ...change };
  const patterns = { include, exclude };
  if (budgetBytes === before.budgetBytes && samePatterns(patterns, before)) return;
  setBudget(budgetBytes);
  const { request, weights } = sourcesStore.getState();
  if (weights === 'waiting' || (weights === 'loaded' && !hasLostWorker())) {
    if (weights === 'loaded') leaveLoaded();
    sourcesStore.setState({ patterns });
    await planAnew();
  } else if (request !== null) await openSource(request, { patterns });
}

/** Runs the committed recipe on the open group; nothing happens while none is loaded. */
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
 * Does again what failed or was cancelled. A lost device or worker means opening and loading anew,
 * without asking twice; what never opened is asked for as the visitor has it listed by now.
 */
export function retryJob(): void {
  const { job } = jobStore.getState();
  const { request, weights, start, patterns } = sourcesStore.getState();
  const mustReload = job.status === 'failed' && RELOAD_AFTER.includes(job.error.kind);
  jobStore.setState({ alert: null });
  if (weights === 'loaded' && !mustReload) void runRecipe();
  else if (weights === 'waiting') void planAnew();
  else if (request === null) return;
  else if (weights === 'loaded') void openSource(request, { start: 'agreed', patterns });
  else {
    const listed = asListed(request);
    void openSource(listed, listed === request ? { start, patterns } : {});
  }
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

async function loadWeights(): Promise<void> {
  sourcesStore.setState({ weights: 'loading', start: 'agreed' });
  const loaded = await startJob('load', (onEvent) => connectedWorker().load(onEvent));
  if (loaded) await runRecipe();
}

/** The last job left a worker that has nothing open. */
function hasLostWorker(): boolean {
  const { job } = jobStore.getState();
  return job.status === 'failed' && GONE_AFTER.includes(job.error.kind);
}

/** Back to the report. The worker lets go of the weights when it plans. */
function leaveLoaded(): void {
  resetResults();
  jobStore.setState({ alert: null, memory: null });
  sourcesStore.setState({ group: null, weights: 'waiting', start: 'ask' });
}

async function planAnew(): Promise<void> {
  await startJob('plan', (onEvent) => connectedWorker().plan(planChoices(), onEvent));
}

/** Whether what has just been opened needs no word, or has it. */
function startsNow(): boolean {
  const { preflight, start } = sourcesStore.getState();
  if (preflight === null || !fitsBudget(preflight.memory)) return false;
  return preflight.startsByItself || start === 'agreed';
}

function planChoices(): PlanChoices {
  const { include, exclude } = sourcesStore.getState().patterns;
  return { budgetBytes: settingsStore.getState().budgetBytes, include, exclude };
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
  dropProgress();
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
  }
}

/** What no job raised, such as a drop that could not be read, stays until it is dismissed. */
function settleDone(phase: Phase, seconds: number): void {
  jobStore.setState(({ job, alert }) => ({
    job: jobAfter(phase, seconds) ?? job,
    alert: alert === failureShown ? null : alert,
  }));
}

/** Null where the next job begins at once: nothing is done yet. */
function jobAfter(ended: Phase, seconds: number): Job | null {
  if (ended === 'run') return { status: 'done', seconds };
  return sourcesStore.getState().weights === 'waiting' ? { status: 'waiting' } : null;
}
