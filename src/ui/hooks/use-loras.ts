import { useMemo } from 'react';
import { useStore } from 'zustand';
import { cutSpectra, type LoraPreview, lorasAt } from '@/store/recipe/loras';
import { selectCommitted, selectDraft } from '@/store/recipe/selectors';
import { type Recipe, recipeStore } from '@/store/state/recipe';
import { selectSpectra } from '@/store/results/selectors';
import { resultsStore, type Spectra } from '@/store/state/results';
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

/** The spectra that ranks cut, of whatever is open; null before they are there. */
export function useCutSpectra(): Spectra | null {
  const contents = useStore(sourcesStore, selectLoras);
  const spectra = useStore(resultsStore, selectSpectra);
  const draft = useStore(recipeStore, selectDraft);
  return useMemo(
    () => (contents === null || spectra === null ? spectra : cutSpectra(spectra, draft)),
    [contents, spectra, draft],
  );
}
