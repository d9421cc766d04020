import { useMemo } from 'react';
import { useStore } from 'zustand';
import { KEPT_PERCENT } from '@/store/recipe/bounds';
import { selectDraft, selectMergeMoves } from '@/store/recipe/selectors';
import { recipeStore } from '@/store/recipe/state';
import { meanEnergyCurve } from '@/store/results/kept';
import { useEnergyCurves } from '@/ui/use-kept';
import styles from './energy-curve.module.css';

const STEPS = 100;
const HEIGHT = 100;

/**
 * Mean kept energy over m, drawn on the slider's own scale: where it flattens, more entries buy
 * little. Decoration: the same numbers stand as text below the slider.
 */
export function EnergyCurve() {
  const { keptPercent } = useStore(recipeStore, selectDraft);
  const mergeMoves = useStore(recipeStore, selectMergeMoves);
  const curves = useEnergyCurves();
  const shares = useMemo(() => meanEnergyCurve(curves, KEPT_PERCENT.sliderMax, STEPS), [curves]);
  const position = Math.min(STEPS, (keptPercent / KEPT_PERCENT.sliderMax) * STEPS);
  const line = shares.map((share, step) => `${step},${HEIGHT * (1 - share)}`).join(' ');
  return (
    <div className={styles.frame} aria-hidden="true">
      <svg
        className={styles.curve}
        viewBox={`0 0 ${STEPS} ${HEIGHT}`}
        preserveAspectRatio="none"
        data-stale={mergeMoves}
      >
        {line !== '' && (
          <>
            <clipPath id="energy-kept">
              <rect x="0" y="0" width={position} height={HEIGHT} />
            </clipPath>
            <polygon className={styles.area} points={`0,${HEIGHT} ${line} ${STEPS},${HEIGHT}`} />
            <polygon
              className={styles.kept}
              clipPath="url(#energy-kept)"
              points={`0,${HEIGHT} ${line} ${STEPS},${HEIGHT}`}
            />
            <polyline className={styles.line} points={line} />
            <line className={styles.marker} x1={position} x2={position} y1="0" y2={HEIGHT} />
          </>
        )}
      </svg>
      <span className={styles.caption}>mean kept energy</span>
    </div>
  );
}
