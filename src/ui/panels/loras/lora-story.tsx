import { useStore } from 'zustand';
import { sumOf } from '@/store/recipe/loras';
import { selectCommitted } from '@/store/recipe/selectors';
import { recipeStore } from '@/store/state/recipe';
import { selectGroup, selectLoras } from '@/store/sources/selectors';
import { sourcesStore } from '@/store/state/sources';
import { bytes, countWord, inText, percent, percentInText } from '@/ui/words/format';
import { rankWords } from '@/ui/words/rank-words';
import { useCommittedLoras } from '@/ui/hooks/use-loras';
import { useWaiting } from '@/ui/hooks/use-waiting';
import styles from '@/ui/panels/story/story-layout.module.css';
import own from './lora-story.module.css';

/** What LoRA files take, and what they keep of themselves in how many bytes. */
export function LoraStory() {
  const group = useStore(sourcesStore, selectGroup);
  const contents = useStore(sourcesStore, selectLoras);
  const { rank } = useStore(recipeStore, selectCommitted);
  const { outputs } = useCommittedLoras();
  const waiting = useWaiting();
  const files = contents?.files ?? [];
  const before = files.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const after = outputs?.reduce((sum, one) => sum + one.bytes, 0) ?? null;
  const isSum = sumOf(outputs) !== null;
  const noun = files.length === 1 ? 'LoRA file' : 'LoRA files';
  const energy = outputs === null ? null : Math.min(...outputs.map((one) => one.energyShare));
  return (
    <section className={styles.story} aria-labelledby="story-heading">
      <div className={styles.words}>
        <h2 id="story-heading" className={styles.headline}>
          {countWord(files.length)} {noun}, {inText(bytes(before))}
          {after === null || energy === null ? (
            ': how few singular triplets are enough?'
          ) : (
            <>
              : {isSum ? 'added up, ' : ''}
              {rankWords(rank)} {files.length === 1 || isSum ? 'it keeps' : 'they keep'}{' '}
              {files.length > 1 && !isSum ? 'at least ' : ''}
              {percentInText(energy)} of {files.length === 1 || isSum ? 'its' : 'their'} energy{' '}
              <em className={styles.gain}>in {inText(bytes(after))}.</em>
            </>
          )}
        </h2>
        <p className={styles.footing}>
          {after === null
            ? waiting('Known once every module is factorised.')
            : `${group?.title ?? ''}. Singular values say it exactly; no base is needed, and none was read.`}
        </p>
      </div>
      <dl className={own.bars}>
        <Bar label="As they are" size={before} share={1} />
        <Bar
          label={isSum ? 'As one' : 'Written'}
          size={after}
          share={after === null || before === 0 ? 0 : after / before}
        />
      </dl>
    </section>
  );
}

interface BarProps {
  readonly label: string;
  readonly size: number | null;
  /** Of what the files take, 0..1 as a rule. */
  readonly share: number;
}

function Bar({ label, size, share }: BarProps) {
  return (
    <div className={own.row}>
      <dt>{label}</dt>
      <dd>
        <span className={own.track} aria-hidden="true">
          <span className={own.bar} style={{ width: `${100 * Math.min(1, share)}%` }} />
        </span>
        <span className={own.size}>
          {size === null ? '–' : bytes(size)}
          {size !== null && share < 1 && <small> {percent(share, 0)}</small>}
        </span>
      </dd>
    </div>
  );
}
