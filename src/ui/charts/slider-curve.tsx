import { useId } from 'react';
import styles from './slider-curve.module.css';

const WIDTH = 100;
const HEIGHT = 100;

interface SliderCurveProps {
  /** Shares 0..1 at equal steps from the slider's left end to its right; empty for none yet. */
  readonly shares: readonly number[];
  /** Where the thumb stands, 0..1. */
  readonly position: number;
  /** Belongs to what the controls no longer say. */
  readonly stale?: boolean;
}

/**
 * Mean kept energy on the slider's own scale: where it flattens, keeping more buys little.
 * Decoration: the same numbers stand as text below the slider.
 */
export function SliderCurve({ shares, position, stale = false }: SliderCurveProps) {
  const clipId = useId();
  const steps = Math.max(1, shares.length - 1);
  const places = shares.map((share, step) => `${(WIDTH * step) / steps},${HEIGHT * (1 - share)}`);
  const area = `0,${HEIGHT} ${places.join(' ')} ${WIDTH},${HEIGHT}`;
  const x = WIDTH * position;
  return (
    <div className={styles.frame} aria-hidden="true">
      <svg
        className={styles.curve}
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        data-stale={stale}
      >
        {shares.length > 1 && (
          <>
            <clipPath id={clipId}>
              <rect x="0" y="0" width={x} height={HEIGHT} />
            </clipPath>
            <polygon className={styles.area} points={area} />
            <polygon className={styles.kept} clipPath={`url(#${clipId})`} points={area} />
            <polyline className={styles.line} points={places.join(' ')} />
            <line className={styles.marker} x1={x} x2={x} y1="0" y2={HEIGHT} />
          </>
        )}
      </svg>
      {shares.length > 1 && <span className={styles.caption}>mean kept energy</span>}
    </div>
  );
}
