import { useStore } from 'zustand';
import { selectCommitted } from '@/store/recipe/selectors';
import { type RankChoice, recipeStore } from '@/store/state/recipe';
import { type Compression, compression } from '@/store/results/compression';
import { selectStorage } from '@/store/results/selectors';
import { resultsStore } from '@/store/state/results';
import { rowNoun, selectGroup, taskCards } from '@/store/sources/selectors';
import { sourcesStore } from '@/store/state/sources';
import { count, countWord, percentInText } from '@/ui/words/format';
import { rankWords } from '@/ui/words/rank-words';
import { methodLabel } from '@/ui/words/method-label';
import { averageText } from '@/ui/words/score-words';
import { useAccuracyTable } from '@/ui/hooks/use-accuracy';
import { useCommittedAdapters } from '@/ui/hooks/use-adapters';
import { useWaiting } from '@/ui/hooks/use-waiting';
import { StoryLayout } from './story-layout';
import styles from './story-layout.module.css';

/** What adapters of fewer triplets keep, lose and take. */
export function AdapterStory() {
  const group = useStore(sourcesStore, selectGroup);
  const { rank } = useStore(recipeStore, selectCommitted);
  const storage = useStore(resultsStore, selectStorage);
  const table = useAccuracyTable();
  const kept = useCommittedAdapters();
  const waiting = useWaiting();
  const story = compression(table, kept, storage);
  const rows = `${count(table.average.cells[1]?.n ?? 0)} test ${rowNoun(taskCards(group))}`;
  const label = (column: number) => methodLabel(table.methods[column] ?? '', 'adapters');
  return (
    <StoryLayout
      headline={<Headline story={story} taskCount={taskCards(group).length} rank={rank} />}
      footing={
        story === null
          ? waiting('An average stands once every task has a score.')
          : `${group?.title ?? ''}. ${averageText(group)}, ${rows}${story.isFinal ? '' : ' so far'}. Bytes without the base.`
      }
      goal={story?.finetuned ?? null}
      bars={[
        { label: label(0), value: story?.pretrained ?? null, look: 'plain' },
        { label: label(2), value: story?.merged ?? null, look: 'merged' },
        { label: label(3), value: story?.peru ?? null, look: 'peru' },
        { label: label(1), value: story?.finetuned ?? null, look: 'finetuned' },
      ]}
    />
  );
}

interface HeadlineProps {
  readonly story: Compression | null;
  readonly taskCount: number;
  readonly rank: RankChoice;
}

function Headline({ story, taskCount, rank }: HeadlineProps) {
  if (story === null || story.energyShare === null || story.peru === null) {
    return <>An adapter for each task: how few singular triplets are enough?</>;
  }
  const { energyShare, bytesShare } = story;
  return (
    <>
      {countWord(taskCount)} adapters {rankWords(rank)} keep {percentInText(energyShare)} of their
      energy, {change(story.peru - story.finetuned)}
      {bytesShare === null ? (
        '.'
      ) : (
        <>
          {' '}
          and <em className={styles.gain}>take {percentInText(bytesShare, 0)} of the bytes.</em>
        </>
      )}
    </>
  );
}

function change(points: number): string {
  const size = Math.abs(100 * points).toFixed(1);
  if (size === '0.0') return 'lose nothing';
  return points < 0 ? `lose ${size} points` : `gain ${size} points`;
}
