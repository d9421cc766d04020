import { percent } from '@/ui/words/format';
import styles from './recovery-bars.module.css';

export interface AverageBar {
  readonly label: string;
  /** 0..1; null while it is not computed: the track stands empty. */
  readonly value: number | null;
  readonly look: 'plain' | 'merged' | 'cool' | 'peru' | 'finetuned';
  /** Drawn over the bar's beginning: what it adds to. */
  readonly base?: number;
}

interface RecoveryBarsProps {
  readonly bars: readonly AverageBar[];
  /** What the others are measured against; null before it is known. */
  readonly goal: number | null;
}

/** Average accuracy of each method as a bar from 0 to 100 %. */
export function RecoveryBars({ bars, goal }: RecoveryBarsProps) {
  return (
    <ul className={styles.bars} aria-label="Average accuracy by method">
      {bars.map(({ label, value, look, base }) => (
        <li key={label} className={styles.row} data-look={look}>
          <span className={styles.label}>{label}</span>
          <span className={styles.track} aria-hidden="true">
            {value !== null && <span className={styles.bar} style={{ width: width(value) }} />}
            {value !== null && base !== undefined && (
              <span className={styles.base} style={{ width: width(Math.min(value, base)) }} />
            )}
            {goal !== null && <span className={styles.goal} style={{ left: width(goal) }} />}
          </span>
          <span className={styles.value}>
            {value === null ? (
              <>
                <span aria-hidden="true">–</span>
                <span className="visually-hidden">not computed yet</span>
              </>
            ) : (
              percent(value)
            )}
          </span>
        </li>
      ))}
    </ul>
  );
}

/** A correlation below zero has no length. */
function width(share: number): string {
  return `${100 * Math.max(0, share)}%`;
}
