import { useStore } from 'zustand';
import { commitRecipe, previewRecipe, revertPreview } from '@/store/recipe/actions';
import { KEPT_PERCENT, LAMBDA } from '@/store/recipe/bounds';
import { selectDraft } from '@/store/recipe/selectors';
import { type MergeMethod, type Recipe, recipeStore } from '@/store/recipe/state';
import { selectGroup, taskCards } from '@/store/sources/selectors';
import { sourcesStore } from '@/store/sources/state';
import { Section } from '@/ui/components/section';
import { SelectField } from '@/ui/components/select-field';
import { SliderField } from '@/ui/components/slider-field';
import { EnergyCurve } from '@/ui/charts/energy-curve';
import { Formula } from './formula';
import { KeptEntries } from './kept-entries';
import styles from './recipe-panel.module.css';

const MERGE_METHODS: readonly { readonly value: MergeMethod; readonly label: string }[] = [
  { value: 'task-arithmetic', label: 'Task arithmetic' },
  { value: 'simple-average', label: 'Simple average' },
];

const SCOPES: readonly { readonly value: Recipe['scope']; readonly label: string }[] = [
  { value: 'global', label: 'All weights together' },
  { value: 'tensor', label: 'Each tensor by itself' },
];

/** Everything that decides the result. */
export function RecipePanel() {
  const recipe = useStore(recipeStore, selectDraft);
  const group = useStore(sourcesStore, selectGroup);
  const usesLambda = recipe.mergeMethod === 'task-arithmetic';
  const taskCount = taskCards(group).length;
  return (
    <Section title="Recipe">
      <Formula recipe={recipe} />
      <div className={styles.steps}>
        <div className={styles.step}>
          <SelectField
            label="Merge method"
            value={recipe.mergeMethod}
            options={MERGE_METHODS}
            onChange={(mergeMethod) => {
              commitRecipe({ mergeMethod });
            }}
          />
          <SliderField
            label="Coefficient λ"
            value={recipe.lambda}
            bounds={LAMBDA}
            disabled={!usesLambda}
            onPreview={(lambda) => {
              previewRecipe({ lambda });
            }}
            onCommit={(lambda) => {
              commitRecipe({ lambda });
            }}
            onRevert={() => {
              revertPreview('lambda');
            }}
            hint={usesLambda ? lambdaHint(group?.lambda ?? null) : averageHint(taskCount)}
          />
        </div>
        <div className={styles.step}>
          <SelectField
            label="Rank entries across"
            value={recipe.scope}
            options={SCOPES}
            onChange={(scope) => {
              commitRecipe({ scope });
            }}
          />
          <SliderField
            label="Kept entries m (%)"
            value={recipe.keptPercent}
            bounds={KEPT_PERCENT}
            onPreview={(keptPercent) => {
              previewRecipe({ keptPercent });
            }}
            onCommit={(keptPercent) => {
              commitRecipe({ keptPercent });
            }}
            onRevert={() => {
              revertPreview('keptPercent');
            }}
          >
            <EnergyCurve />
          </SliderField>
          <KeptEntries />
        </div>
      </div>
    </Section>
  );
}

function lambdaHint(recommended: number | null): string {
  return recommended === null
    ? 'Weight of each task in the merged model.'
    : `Weight of each task; ${recommended} did best on validation images.`;
}

function averageHint(taskCount: number): string {
  return taskCount === 0
    ? 'A simple average does not use λ.'
    : `A simple average weighs each task 1/${taskCount}.`;
}
