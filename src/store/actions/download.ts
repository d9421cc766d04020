/** The results file of what the stores hold now. */
import { jobStore, type MemoryFacts } from '@/store/state/job';
import { recipeStore } from '@/store/state/recipe';
import { scoredTasks, selectKind } from '@/store/sources/selectors';
import { type Preflight, sourcesStore } from '@/store/state/sources';
import { type MemoryUse, type ResultsFile, resultsFile } from '@/store/results/file';
import { resultsStore } from '@/store/state/results';

/** Null while nothing has been computed yet. */
export function currentResultsFile(): ResultsFile | null {
  const { engine } = jobStore.getState();
  const { scores, storage, seconds } = resultsStore.getState();
  if (engine === null || Object.keys(storage).length === 0) return null;
  const sources = sourcesStore.getState();
  return resultsFile({
    engine,
    kind: selectKind(sources),
    recipe: recipeStore.getState().committed,
    patterns: sources.patterns,
    tasks: scoredTasks(sources.group).map(({ name }) => name),
    scores,
    storage,
    seconds,
    memory: memoryUse(sources.preflight, jobStore.getState().memory),
  });
}

function memoryUse(preflight: Preflight | null, held: MemoryFacts | null): MemoryUse | null {
  if (preflight === null || held === null) return null;
  const { mode, peakBytes: plannedBytes } = preflight.memory;
  return { mode, plannedBytes, peakBytes: held.peakBytes };
}
