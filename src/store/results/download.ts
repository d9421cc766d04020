/** The results file of what the stores hold now. */
import { jobStore } from '@/store/job/state';
import { recipeStore } from '@/store/recipe/state';
import { scoredTasks, selectKind } from '@/store/sources/selectors';
import { sourcesStore } from '@/store/sources/state';
import { type ResultsFile, resultsFile } from './file';
import { resultsStore } from './state';

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
    tasks: scoredTasks(sources.group).map(({ name }) => name),
    scores,
    storage,
    seconds,
  });
}
