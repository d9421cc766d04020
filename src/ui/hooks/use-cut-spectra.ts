import { useMemo } from 'react';
import { useStore } from 'zustand';
import { cutSpectra } from '@/store/recipe/cut-spectra';
import { selectDraft } from '@/store/recipe/selectors';
import { recipeStore } from '@/store/state/recipe';
import { selectSpectra } from '@/store/results/selectors';
import { resultsStore, type Spectra } from '@/store/state/results';
import { selectLoras } from '@/store/sources/selectors';
import { sourcesStore } from '@/store/state/sources';

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
