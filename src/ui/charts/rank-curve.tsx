import { useMemo } from 'react';
import { useStore } from 'zustand';
import { rankBounds, sliderPosition } from '@/store/recipe/bounds';
import { selectDraft } from '@/store/recipe/selectors';
import { recipeStore } from '@/store/state/recipe';
import { meanEnergyByRank } from '@/store/recipe/low-rank';
import { useCutSpectra } from '@/ui/hooks/use-cut-spectra';
import { useRankLimits } from '@/ui/hooks/use-rank-limits';
import { SliderCurve } from './slider-curve';

/** Mean kept energy over q; nothing where the slider counts something else. */
export function RankCurve() {
  const { rank } = useStore(recipeStore, selectDraft);
  const limits = useRankLimits();
  const spectra = useCutSpectra();
  const shares = useMemo(() => meanEnergyByRank(spectra, limits?.maxRank ?? 0), [spectra, limits]);
  if (rank.by !== 'count') return null;
  const position = limits === null ? 0 : sliderPosition(rankBounds(limits), rank.q);
  return <SliderCurve shares={shares} position={position} />;
}
