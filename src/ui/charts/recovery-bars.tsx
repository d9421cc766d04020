import { type Recovery } from '@/store/results/recovery';
import { percent } from '@/ui/format';
import styles from './recovery-bars.module.css';

interface RecoveryBarsProps {
  /** Null before the first averages: the tracks stand empty. */
  readonly story: Recovery | null;
  readonly postPruningLabel: string;
  readonly peruLabel: string;
}

interface Bar {
  readonly label: string;
  readonly value: number | null;
  readonly look: 'plain' | 'merged' | 'cool' | 'peru' | 'finetuned';
}

/** Average accuracy of each method as a bar from 0 to 100 %; PERU-FFT's shows what it adds. */
export function RecoveryBars({ story, postPruningLabel, peruLabel }: RecoveryBarsProps) {
  const bars: readonly Bar[] = [
    { label: 'Pretrained', value: story?.pretrained ?? null, look: 'plain' },
    { label: 'Merged', value: story?.merged ?? null, look: 'merged' },
    { label: postPruningLabel, value: story?.postPruning ?? null, look: 'cool' },
    { label: peruLabel, value: story?.peru ?? null, look: 'peru' },
    { label: 'Fine-tuned', value: story?.finetuned ?? null, look: 'finetuned' },
  ];
  return (
    <ul className={styles.bars} aria-label="Average accuracy by method">
      {bars.map(({ label, value, look }) => (
        <li key={look} className={styles.row} data-look={look}>
          <span className={styles.label}>{label}</span>
          <span className={styles.track} aria-hidden="true">
            {value !== null && <span className={styles.bar} style={{ width: `${100 * value}%` }} />}
            {look === 'peru' && value !== null && story !== null && (
              <span
                className={styles.base}
                style={{ width: `${100 * Math.min(value, story.merged)}%` }}
              />
            )}
            {story !== null && (
              <span className={styles.goal} style={{ left: `${100 * story.finetuned}%` }} />
            )}
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
