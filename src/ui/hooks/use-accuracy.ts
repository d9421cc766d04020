import { useMemo } from 'react';
import { useStore } from 'zustand';
import { methodsOf } from '@/recipe/parsed-method';
import { selectCommitted } from '@/store/recipe/selectors';
import { recipeStore } from '@/store/state/recipe';
import { selectScores } from '@/store/results/selectors';
import { resultsStore } from '@/store/state/results';
import { type AccuracyTable, accuracyTable } from '@/store/results/table';
import { scoredTasks, selectGroup, selectKind } from '@/store/sources/selectors';
import { sourcesStore } from '@/store/state/sources';

/** The accuracy table at the committed recipe, kept up to date as scores stream in. */
export function useAccuracyTable(): AccuracyTable {
  const group = useStore(sourcesStore, selectGroup);
  const kind = useStore(sourcesStore, selectKind);
  const scores = useStore(resultsStore, selectScores);
  const recipe = useStore(recipeStore, selectCommitted);
  return useMemo(
    () => accuracyTable(scoredTasks(group), scores, methodsOf(kind, recipe)),
    [group, kind, scores, recipe],
  );
}
