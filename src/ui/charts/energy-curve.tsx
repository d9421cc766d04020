import { useMemo } from 'react';
import { useStore } from 'zustand';
import { KEPT_PERCENT, sliderPosition } from '@/store/recipe/bounds';
import { selectDraft, selectMergeMoves } from '@/store/recipe/selectors';
import { recipeStore } from '@/store/state/recipe';
import { meanEnergyCurve } from '@/store/results/kept';
import { useEnergyCurves } from '@/ui/hooks/use-kept';
import { SliderCurve } from './slider-curve';

const STEPS = 100;

/** Mean kept energy over m. */
export function EnergyCurve() {
  const { keptPercent } = useStore(recipeStore, selectDraft);
  const mergeMoves = useStore(recipeStore, selectMergeMoves);
  const curves = useEnergyCurves();
  const shares = useMemo(() => meanEnergyCurve(curves, KEPT_PERCENT.sliderMax, STEPS), [curves]);
  return (
    <SliderCurve
      shares={shares}
      position={sliderPosition(KEPT_PERCENT, keptPercent)}
      stale={mergeMoves}
    />
  );
}
