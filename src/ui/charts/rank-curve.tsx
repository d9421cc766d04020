import { useMemo } from 'react';
import { useStore } from 'zustand';
import { rankBounds, sliderPosition } from '@/store/recipe/bounds';
import { selectDraft } from '@/store/recipe/selectors';
import { recipeStore } from '@/store/state/recipe';
import { meanEnergyByRank } from '@/store/recipe/low-rank';
import { selectSpectra } from '@/store/results/selectors';
import { resultsStore } from '@/store/state/results';
import { selectAdapters } from '@/store/sources/selectors';
import { sourcesStore } from '@/store/state/sources';
import { SliderCurve } from './slider-curve';

/** Mean kept energy over q; nothing where the slider counts something else. */
export function RankCurve() {
  const { rank } = useStore(recipeStore, selectDraft);
  const contents = useStore(sourcesStore, selectAdapters);
  const spectra = useStore(resultsStore, selectSpectra);
  const shares = useMemo(
    () => meanEnergyByRank(spectra, contents?.maxRank ?? 0),
    [spectra, contents],
  );
  if (rank.by !== 'count') return null;
  const position = contents === null ? 0 : sliderPosition(rankBounds(contents), rank.q);
  return <SliderCurve shares={shares} position={position} />;
}
