import { useMemo } from 'react';
import { useStore } from 'zustand';
import { type LoraPreview, lorasAt } from '@/store/recipe/loras';
import { selectCommitted, selectDraft } from '@/store/recipe/selectors';
import { type Recipe, recipeStore } from '@/store/state/recipe';
import { selectSpectra } from '@/store/results/selectors';
import { resultsStore } from '@/store/state/results';
import { selectLoras } from '@/store/sources/selectors';
import { sourcesStore } from '@/store/state/sources';

/** What LoRA files would become, following every movement of a control. */
export function useDraftLoras(): LoraPreview {
  return useLorasAt(useStore(recipeStore, selectDraft));
}

/** With the recipe of the results. */
export function useCommittedLoras(): LoraPreview {
  return useLorasAt(useStore(recipeStore, selectCommitted));
}

function useLorasAt(recipe: Recipe): LoraPreview {
  const contents = useStore(sourcesStore, selectLoras);
  const committed = useStore(recipeStore, selectCommitted);
  const spectra = useStore(resultsStore, selectSpectra);
  return useMemo(
    () => lorasAt(contents, spectra, recipe, committed),
    [contents, spectra, recipe, committed],
  );
}
