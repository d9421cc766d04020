import { useStore } from 'zustand';
import { MERGE_PARAMETERS } from '@/methods/parameters';
import { MERGE_METHODS, MERGERS } from '@/methods/registry';
import { commitRecipe, previewRecipe, revertPreview } from '@/store/actions/recipe';
import { selectDraft } from '@/store/recipe/selectors';
import { recipeStore } from '@/store/state/recipe';
import { rowNoun, selectGroup, selectKind, taskCards } from '@/store/sources/selectors';
import { sourcesStore } from '@/store/state/sources';
import { Section } from '@/ui/components/section';
import { SelectField } from '@/ui/components/select-field';
import { SliderField } from '@/ui/components/slider-field';
import { DtypeControls } from './dtype-controls';
import { EntriesControls } from './entries-controls';
import { Formula } from './formula';
import { LoraMakeControls, LoraWriteControls } from '@/ui/panels/loras/lazy-parts';
import { RankControls } from './rank-controls';
import styles from './recipe-panel.module.css';

const LAMBDA = MERGE_PARAMETERS.lambda;

const MERGERS_TO_CHOOSE = MERGE_METHODS.map((value) => ({ value, label: MERGERS[value].title }));

/** Everything that decides the result: how to merge, and what each task keeps of its own. */
export function RecipePanel() {
  const recipe = useStore(recipeStore, selectDraft);
  const kind = useStore(sourcesStore, selectKind);
  const hasSeveral = taskCards(useStore(sourcesStore, selectGroup)).length > 1;
  return (
    <Section title="Recipe">
      <Formula recipe={recipe} kind={kind} />
      <div className={styles.steps}>
        {kind !== 'loras' && (
          <div className={styles.step}>
            <MergeControls />
          </div>
        )}
        {kind === 'loras' && hasSeveral && (
          <div className={styles.step}>
            <LoraMakeControls />
          </div>
        )}
        <div className={styles.step}>
          {kind === 'full' ? <EntriesControls /> : <RankControls />}
        </div>
        {kind !== 'adapters' && (
          <div className={styles.step}>
            {kind === 'full' ? <DtypeControls /> : <LoraWriteControls />}
          </div>
        )}
      </div>
    </Section>
  );
}

function MergeControls() {
  const { mergeMethod, lambda } = useStore(recipeStore, selectDraft);
  const group = useStore(sourcesStore, selectGroup);
  const usesLambda = MERGERS[mergeMethod].parameters.includes('lambda');
  const cards = taskCards(group);
  return (
    <>
      <SelectField
        label="Merge method"
        value={mergeMethod}
        options={MERGERS_TO_CHOOSE}
        onChange={(chosen) => {
          commitRecipe({ mergeMethod: chosen });
        }}
      />
      <SliderField
        label={LAMBDA.label}
        value={lambda}
        bounds={LAMBDA.bounds}
        disabled={!usesLambda}
        onPreview={(value) => {
          previewRecipe({ lambda: value });
        }}
        onCommit={(value) => {
          commitRecipe({ lambda: value });
        }}
        onRevert={() => {
          revertPreview('lambda');
        }}
        hint={
          usesLambda ? lambdaHint(group?.lambda ?? null, rowNoun(cards)) : averageHint(cards.length)
        }
      />
    </>
  );
}

function lambdaHint(recommended: number | null, rows: string): string {
  return recommended === null
    ? 'Weight of each task in the merged model.'
    : `Weight of each task; ${recommended} did best on validation ${rows}.`;
}

function averageHint(taskCount: number): string {
  return taskCount === 0
    ? 'A simple average does not use λ.'
    : `A simple average weighs each task 1/${taskCount}.`;
}
