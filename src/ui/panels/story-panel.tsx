import { useStore } from 'zustand';
import { methodsAt, methodLabel } from '@/store/method';
import { selectCommitted } from '@/store/recipe/selectors';
import { recipeStore } from '@/store/recipe/state';
import { type Recovery, recovery } from '@/store/results/recovery';
import { selectGroup, taskCards } from '@/store/sources/selectors';
import { sourcesStore } from '@/store/sources/state';
import { RecoveryBars } from '@/ui/charts/recovery-bars';
import { count, percentInText } from '@/ui/format';
import { useAccuracyTable } from '@/ui/use-accuracy';
import styles from './story-panel.module.css';

/** The one thing to take home: what merging loses and how much of it comes back. */
export function StoryPanel() {
  const group = useStore(sourcesStore, selectGroup);
  const { keptPercent } = useStore(recipeStore, selectCommitted);
  const table = useAccuracyTable();
  const story = recovery(table);
  const taskCount = taskCards(group).length;
  const labels = methodsAt(keptPercent).map(methodLabel);
  if (group?.noAccuracyBecause != null) return null;
  return (
    <section className={styles.story} aria-labelledby="story-heading">
      <div className={styles.words}>
        <h2 id="story-heading" className={styles.headline}>
          <Headline story={story} taskCount={taskCount} keptPercent={keptPercent} />
        </h2>
        <p className={styles.footing}>{footing(story, table.average.cells[2]?.n ?? 0)}</p>
      </div>
      <RecoveryBars story={story} postPruningLabel={labels[3] ?? ''} peruLabel={labels[4] ?? ''} />
    </section>
  );
}

interface HeadlineProps {
  readonly story: Recovery | null;
  readonly taskCount: number;
  readonly keptPercent: number;
}

function Headline({ story, taskCount, keptPercent }: HeadlineProps) {
  if (story === null) {
    return <>One model in place of many: what does it cost, and how little brings it back?</>;
  }
  const lost = story.finetuned - story.merged;
  const gained = story.peru === null ? null : story.peru - story.merged;
  return (
    <>
      Merging {taskCount} models into one{' '}
      {lost > 0 ? <>loses {spoken(lost)} of accuracy.</> : <>loses no accuracy here.</>}{' '}
      {gained !== null && gained > 0 && (
        <>
          The top {keptPercent}&nbsp;% of each task’s entries{' '}
          <em className={styles.gain}>
            {lost > 0 ? `bring back ${spokenNumber(gained)}.` : `add ${spoken(gained)}.`}
          </em>
        </>
      )}
      {gained !== null && gained < 0 && (
        <>
          The top {keptPercent}&nbsp;% of each task’s entries lose {spokenNumber(-gained)} more.
        </>
      )}
      {gained === 0 && <>The top {keptPercent}&nbsp;% of each task’s entries change nothing.</>}
    </>
  );
}

function footing(story: Recovery | null, images: number): string {
  if (story === null) return 'An average stands once every task has a score.';
  const recovered =
    story.recoveredShare === null || story.peru === null
      ? ''
      : ` PERU-FFT recovers ${percentInText(story.recoveredShare, 0)} of the loss.`;
  const basis = story.isFinal
    ? `Average accuracy, ${count(images)} test images.`
    : `Average accuracy, ${count(images)} test images so far.`;
  return basis + recovered;
}

function spokenNumber(difference: number): string {
  return (100 * difference).toFixed(1);
}

function spoken(difference: number): string {
  return `${spokenNumber(difference)} points`;
}
