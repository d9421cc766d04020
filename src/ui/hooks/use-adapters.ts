import { useMemo } from 'react';
import { useStore } from 'zustand';
import { selectCommitted, selectDraft } from '@/store/recipe/selectors';
import { type RankChoice, recipeStore } from '@/store/state/recipe';
import { type AdapterKept, adaptersKept } from '@/store/recipe/low-rank';
import { selectLowRank, selectSpectra } from '@/store/results/selectors';
import { resultsStore } from '@/store/state/results';
import { selectAdapters } from '@/store/sources/selectors';
import { sourcesStore } from '@/store/state/sources';

/** What each adapter keeps at the rank control's position, following every movement. */
export function useDraftAdapters(): readonly AdapterKept[] | null {
  return useAdaptersAt(useStore(recipeStore, selectDraft).rank);
}

/** What each adapter keeps with the ranks of the results. */
export function useCommittedAdapters(): readonly AdapterKept[] | null {
  return useAdaptersAt(useStore(recipeStore, selectCommitted).rank);
}

function useAdaptersAt(rank: RankChoice): readonly AdapterKept[] | null {
  const contents = useStore(sourcesStore, selectAdapters);
  const spectra = useStore(resultsStore, selectSpectra);
  const lowRank = useStore(resultsStore, selectLowRank);
  return useMemo(
    () => (contents === null ? null : adaptersKept(contents, spectra, rank, lowRank)),
    [contents, spectra, rank, lowRank],
  );
}
