/**
 * Starts and stops work. One job at a time, the latest wins: whatever an older job still says is
 * not heard. The worker drops the older job by itself.
 *
 * A source goes through three jobs: `open` reads headers and tells what it will cost, `load` moves
 * the weights once the visitor has said so, `run` computes a recipe, and again for each new one.
 */
import { type ErrorKind } from '@/core/errors';
import { type PlanChoices } from '@/plan/preflight';
import { type OpenChoices } from '@/protocol/peru-worker';
import { type Goal } from '@/protocol/goal';
import { type SourceRequest } from '@/protocol/requests';
import { resetExport } from '@/store/export/edits';
import { asListed, withToken } from '@/store/hub/request';
import { recipeStore } from '@/store/state/recipe';
import { dropStale, resetResults } from './results';
import {
  type EnginePreference,
  preferEngine,
  selectEnginePreference,
  setBudget,
  settingsStore,
} from '@/store/state/settings';
import { startState } from '@/store/sources/start-state';
import { samePatterns } from '@/store/sources/patterns';
import { type NamePatterns, NO_PATTERNS, sourcesStore } from '@/store/state/sources';
import { connectedWorker } from '@/store/state/worker-handle';
import { startJob, startsNow } from './run-job';
import { hasLostWorker } from '@/store/job/selectors';
import { jobStore } from '@/store/state/job';

export { cancelJob, raiseAlert, resetJob } from './run-job';

/** After these the weights are gone, or the room for them is: a run alone would fail again. */
const RELOAD_AFTER: readonly ErrorKind[] = ['device-lost', 'out-of-memory', 'worker-stopped'];

export interface Opening {
  /** `agreed`: the visitor has pressed Start for just this before. */
  readonly start?: 'ask' | 'agreed';
  readonly patterns?: NamePatterns;
  /** Default: none. */
  readonly notes?: readonly string[];
}

/**
 * Opens a source. What costs little goes on to its numbers by itself; else the report waits for
 * `startLoading`. Results and alert of what was open go.
 */
export async function openSource(
  request: SourceRequest,
  { start = 'ask', patterns = NO_PATTERNS, notes = [] }: Opening = {},
): Promise<void> {
  sourcesStore.setState(({ isChanging, request: before }) => ({
    request,
    // Files may be added and taken away one after another; what else is opened is a last word.
    isChanging: isChanging && request.kind === 'files' && before?.kind === 'files',
    preflight: null,
    group: null,
    weights: 'checking',
    start,
    patterns,
    notes,
  }));
  resetResults();
  resetExport();
  jobStore.setState({ alert: null, memory: null });
  const opened = await startJob('open', (onEvent) =>
    connectedWorker().open(withToken(request), openChoices(), onEvent),
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
  if (weights === 'waiting' || (weights === 'loaded' && !hasLostWorker(jobStore.getState()))) {
    if (weights === 'loaded') leaveLoaded();
    sourcesStore.setState({ patterns });
    await planAnew();
  } else if (request !== null) await openSource(request, { patterns });
}

/** Computes on another engine from now on: what is open is opened anew on it. */
export async function changeEngine(engine: EnginePreference): Promise<void> {
  if (engine === selectEnginePreference(settingsStore.getState())) return;
  preferEngine(engine);
  const { request, start, patterns } = sourcesStore.getState();
  if (request !== null) await openSource(request, { start, patterns });
}

/** Runs the committed recipe on the open group; nothing happens while none is loaded. */
export async function runRecipe(goal?: Goal): Promise<void> {
  if (sourcesStore.getState().weights !== 'loaded') return;
  const recipe = recipeStore.getState().committed;
  dropStale(recipe);
  jobStore.setState({ found: null });
  await startJob('run', (onEvent) => connectedWorker().run(recipe, onEvent, goal));
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

async function loadWeights(): Promise<void> {
  sourcesStore.setState({ weights: 'loading', start: 'agreed' });
  const loaded = await startJob('load', (onEvent) => connectedWorker().load(onEvent));
  if (loaded) await runRecipe();
}

/** Back to the report. The worker lets go of the weights when it plans. */
function leaveLoaded(): void {
  resetResults();
  resetExport();
  jobStore.setState({ alert: null, memory: null });
  sourcesStore.setState({ group: null, weights: 'waiting', start: 'ask' });
}

async function planAnew(): Promise<void> {
  await startJob('plan', (onEvent) => connectedWorker().plan(planChoices(), onEvent));
}

function openChoices(): OpenChoices {
  return { ...planChoices(), engine: selectEnginePreference(settingsStore.getState()) };
}

function planChoices(): PlanChoices {
  const { include, exclude } = sourcesStore.getState().patterns;
  return { budgetBytes: settingsStore.getState().budgetBytes, include, exclude };
}
