import { useMemo } from 'react';
import { useStore } from 'zustand';
import { type EnergyCurve } from '@/store/results/kept-from-histogram';
import { selectDraft, selectMergeMoves } from '@/store/recipe/selectors';
import { recipeStore } from '@/store/state/recipe';
import { energyCurves, keptOf, type KeptEntries } from '@/store/results/kept';
import { selectHistograms, selectSparse } from '@/store/results/selectors';
import { resultsStore } from '@/store/state/results';
import { selectGroup, taskCards } from '@/store/sources/selectors';
import { sourcesStore } from '@/store/state/sources';

export interface TaskKept {
  readonly name: string;
  readonly title: string;
  /** Null before the histogram of the recipe's merge has come. */
  readonly kept: KeptEntries | null;
}

/** The histograms as curves, summed once a merge. */
export function useEnergyCurves(): ReadonlyMap<string, EnergyCurve> {
  const histograms = useStore(resultsStore, selectHistograms);
  return useMemo(() => energyCurves(histograms), [histograms]);
}

/** What each task keeps at the slider's position, following every movement. */
export function useKeptEntries(): readonly TaskKept[] {
  const group = useStore(sourcesStore, selectGroup);
  const draft = useStore(recipeStore, selectDraft);
  const mergeMoves = useStore(recipeStore, selectMergeMoves);
  const sparse = useStore(resultsStore, selectSparse);
  const curves = useEnergyCurves();
  return taskCards(group).map(({ name, title }) => ({
    name,
    title,
    kept: mergeMoves ? null : keptOf(name, draft, curves, sparse),
  }));
}
