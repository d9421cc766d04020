import { useStore } from 'zustand';
import { COMPRESSORS, SPARSE_METHODS } from '@/methods/registry';
import { commitRecipe, previewRecipe, revertPreview } from '@/store/actions/recipe';
import { KEPT_PERCENT } from '@/store/recipe/bounds';
import { selectDraft } from '@/store/recipe/selectors';
import { type Recipe, recipeStore } from '@/store/state/recipe';
import { EnergyCurve } from '@/ui/charts/energy-curve';
import { SelectField } from '@/ui/components/select-field';
import { SliderField } from '@/ui/components/slider-field';
import { BytesControls } from './bytes-controls';
import { KeptEntries } from './kept-entries';

const SCOPES: readonly { readonly value: Recipe['scope']; readonly label: string }[] = [
  { value: 'global', label: 'All weights together' },
  { value: 'tensor', label: 'Each tensor by itself' },
];

const BASELINES = SPARSE_METHODS.filter((method) => COMPRESSORS[method].isBaseline);
const OWN = SPARSE_METHODS.filter((method) => !COMPRESSORS[method].isBaseline);

/** What is run beside PERU-FFT, at every m. */
function Baselines() {
  const { compressors } = useStore(recipeStore, selectDraft);
  const titles = BASELINES.map((method) => COMPRESSORS[method].title).join(', ');
  const hasAny = BASELINES.some((method) => compressors.includes(method));
  return (
    <SelectField
      label="Baseline"
      value={hasAny ? 'all' : 'none'}
      options={[
        { value: 'all', label: titles },
        { value: 'none', label: 'None: a third less to score' },
      ]}
      onChange={(chosen) => {
        commitRecipe({ compressors: chosen === 'all' ? SPARSE_METHODS : OWN });
      }}
    />
  );
}

/** Which entries each task of full fine-tunes keeps. */
export function EntriesControls() {
  const { scope, keptPercent } = useStore(recipeStore, selectDraft);
  return (
    <>
      <SelectField
        label="Rank entries across"
        value={scope}
        options={SCOPES}
        onChange={(chosen) => {
          commitRecipe({ scope: chosen });
        }}
      />
      <SliderField
        label="Kept entries m (%)"
        value={keptPercent}
        bounds={KEPT_PERCENT}
        onPreview={(value) => {
          previewRecipe({ keptPercent: value });
        }}
        onCommit={(value) => {
          commitRecipe({ keptPercent: value });
        }}
        onRevert={() => {
          revertPreview('keptPercent');
        }}
      >
        <EnergyCurve />
      </SliderField>
      <KeptEntries />
      <BytesControls />
      <Baselines />
    </>
  );
}
