import { type ReactNode } from 'react';
import { type AverageBar, RecoveryBars } from '@/ui/charts/recovery-bars';
import styles from './story-layout.module.css';

interface StoryLayoutProps {
  readonly headline: ReactNode;
  /** What the numbers rest on. */
  readonly footing: string;
  readonly bars: readonly AverageBar[];
  readonly goal: number | null;
}

/** A sentence on the left, its numbers as bars on the right. */
export function StoryLayout({ headline, footing, bars, goal }: StoryLayoutProps) {
  return (
    <section className={styles.story} aria-labelledby="story-heading">
      <div className={styles.words}>
        <h2 id="story-heading" className={styles.headline}>
          {headline}
        </h2>
        <p className={styles.footing}>{footing}</p>
      </div>
      <RecoveryBars bars={bars} goal={goal} />
    </section>
  );
}
