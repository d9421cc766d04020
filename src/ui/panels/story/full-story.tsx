import { useStore } from 'zustand';
import { selectCommitted } from '@/store/recipe/selectors';
import { recipeStore } from '@/store/state/recipe';
import { baselines, type Recovery, recovery } from '@/store/results/recovery';
import { peruMethod } from '@/recipe/parsed-method';
import { rowNoun, selectGroup, taskCards } from '@/store/sources/selectors';
import { sourcesStore } from '@/store/state/sources';
import { count, percentInText } from '@/ui/words/format';
import { methodLabel } from '@/ui/words/method-label';
import { averageNoun, averageText } from '@/ui/words/score-words';
import { useAccuracyTable } from '@/ui/hooks/use-accuracy';
import { useWaiting } from '@/ui/hooks/use-waiting';
import { StoryLayout } from './story-layout';
import styles from './story-layout.module.css';

/** What merging full fine-tunes loses and how much of it comes back. */
export function FullStory() {
  const group = useStore(sourcesStore, selectGroup);
  const recipe = useStore(recipeStore, selectCommitted);
  const table = useAccuracyTable();
  const waiting = useWaiting();
  const story = recovery(table);
  const cards = taskCards(group);
  return (
    <StoryLayout
      headline={
        <Headline
          story={story}
          taskCount={cards.length}
          keptPercent={recipe.keptPercent}
          noun={averageNoun(group)}
        />
      }
      footing={
        story === null
          ? waiting('An average stands once every task has a score.')
          : footing(
              story,
              group?.title ?? '',
              `${averageText(group)}, ${count(table.average.cells[2]?.n ?? 0)} test ${rowNoun(cards)}`,
            )
      }
      goal={story?.finetuned ?? null}
      bars={[
        { label: 'Pretrained', value: story?.pretrained ?? null, look: 'plain' },
        { label: 'Merged', value: story?.merged ?? null, look: 'merged' },
        ...baselines(table).map(({ method, value }) => {
          return { label: methodLabel(method, 'full'), value, look: 'cool' as const };
        }),
        {
          label: methodLabel(peruMethod('full', recipe), 'full'),
          value: story?.peru ?? null,
          look: 'peru',
          ...(story === null ? {} : { base: story.merged }),
        },
        { label: 'Fine-tuned', value: story?.finetuned ?? null, look: 'finetuned' },
      ]}
    />
  );
}

interface HeadlineProps {
  readonly story: Recovery | null;
  readonly taskCount: number;
  readonly keptPercent: number;
  /** What is lost. */
  readonly noun: ReturnType<typeof averageNoun>;
}

function Headline({ story, taskCount, keptPercent, noun }: HeadlineProps) {
  if (story === null) {
    return <>One model in place of many: what does it cost, and how little brings it back?</>;
  }
  const lost = story.finetuned - story.merged;
  const gained = story.peru === null ? null : story.peru - story.merged;
  return (
    <>
      Merging {taskCount} models into one {lossText(lost, noun)}{' '}
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

/** Points of accuracies and correlations together are points of neither. */
function lossText(lost: number, noun: HeadlineProps['noun']): string {
  const isMixed = noun === 'score';
  if (lost > 0) return `loses ${spoken(lost)} ${isMixed ? 'on average' : `of ${noun}`}.`;
  return isMixed ? 'loses nothing here.' : `loses no ${noun} here.`;
}

function footing(story: Recovery, title: string, average: string): string {
  const recovered =
    story.recoveredShare === null || story.peru === null
      ? ''
      : ` PERU-FFT recovers ${percentInText(story.recoveredShare, 0)} of the loss.`;
  return `${title}. ${average}${story.isFinal ? '' : ' so far'}.${recovered}`;
}

function spokenNumber(difference: number): string {
  return (100 * difference).toFixed(1);
}

function spoken(difference: number): string {
  return `${spokenNumber(difference)} points`;
}
