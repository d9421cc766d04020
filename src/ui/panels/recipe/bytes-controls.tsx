import { useState } from 'react';
import { useStore } from 'zustand';
import { seekGoal } from '@/store/actions/recipe';
import { selectCommitted } from '@/store/recipe/selectors';
import { taskBytes, taskBytesBounds } from '@/store/results/task-bytes';
import { jobStore } from '@/store/state/job';
import { recipeStore } from '@/store/state/recipe';
import { resultsStore } from '@/store/state/results';
import { Button } from '@/ui/components/button';
import { SliderField } from '@/ui/components/slider-field';
import { inText } from '@/ui/words/format';
import styles from './bytes-controls.module.css';

/** Of the fine-tuned average: what people mean by "without loss". */
const KEPT_PERCENT = 99;

/** m by what it is for: files of so many bytes, or the accuracy that must stay. */
export function BytesControls() {
  const storage = useStore(resultsStore, (state) => state.storage);
  const committed = useStore(recipeStore, selectCommitted);
  const bounds = taskBytesBounds(storage);
  if (bounds === null) return null;
  const measured = taskBytes(storage, committed);
  return (
    <>
      <BudgetSlider measured={measured} bounds={bounds} />
      <div className={styles.seek}>
        <Button
          onClick={() => {
            seekGoal({ kind: 'recovery', percent: KEPT_PERCENT });
          }}
        >
          Find the smallest files
        </Button>
        <p className={styles.meaning}>
          that keep {inText(`${KEPT_PERCENT} %`)} of the fine-tuned average, with values in 1 to 4
          bits.
        </p>
      </div>
      <FoundLine />
    </>
  );
}

interface BudgetSliderProps {
  /** Bytes of the recipe's files; null while they are counted. */
  readonly measured: number | null;
  readonly bounds: Parameters<typeof SliderField>[0]['bounds'];
}

function BudgetSlider({ measured, bounds }: BudgetSliderProps) {
  const found = useStore(jobStore, (state) => state.found);
  const [asked, setAsked] = useState<number | null>(null);
  const [shown, setShown] = useState({ measured, found });
  // What was asked for stands until its files are counted. The control stays: it may have the focus.
  if (measured !== null && (measured !== shown.measured || found !== shown.found)) {
    setShown({ measured, found });
    setAsked(null);
  }
  const value = asked ?? measured;
  return (
    <SliderField
      label="Bytes a task"
      value={value ?? shown.measured ?? bounds.min}
      bounds={bounds}
      disabled={value === null}
      onPreview={setAsked}
      onCommit={(bytesPerTask) => {
        setAsked(bytesPerTask);
        seekGoal({ kind: 'bytes', bytesPerTask });
      }}
      onRevert={() => {
        setAsked(null);
      }}
      hint="The largest m whose files take no more, with values in 1 to 4 bits."
    />
  );
}

function FoundLine() {
  const found = useStore(jobStore, (state) => state.found);
  const { keptPercent, valueDtype } = useStore(recipeStore, selectCommitted);
  if (found === null) return null;
  // A control that was moved since has the last word.
  const { change, chosenBy } = found;
  if (change.keptPercent !== keptPercent || change.valueDtype !== valueDtype) return null;
  return (
    <p className={styles.found}>
      {inText(`m = ${keptPercent} %`)} was chosen by {chosenBy}.
    </p>
  );
}
