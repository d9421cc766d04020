import { useStore } from 'zustand';
import { hasFactor, VALUE_FORMATS, valueWords } from '@/codecs/value-formats';
import { type Rescale } from '@/recipe/stored-values';
import { commitRecipe } from '@/store/actions/recipe';
import { selectDraft } from '@/store/recipe/selectors';
import { type FloatDtype, recipeStore } from '@/store/state/recipe';
import { baseCard, selectGroup } from '@/store/sources/selectors';
import { sourcesStore } from '@/store/state/sources';
import { SelectField } from '@/ui/components/select-field';

const MERGED_DTYPES: readonly { readonly value: FloatDtype | 'base'; readonly label: string }[] = [
  { value: 'F32', label: 'F32' },
  { value: 'F16', label: 'F16' },
  { value: 'BF16', label: 'BF16' },
];

const VALUES = VALUE_FORMATS.map((value) => ({ value, label: valueWords(value).title }));

const NORMS: readonly { readonly value: Rescale; readonly label: string }[] = [
  { value: 'norm', label: 'Restored in each tensor' },
  { value: 'none', label: 'As they are, as in the paper' },
];

/** How the merged model and the kept entries of full fine-tunes are stored. */
export function DtypeControls() {
  const { mergedDtype, valueDtype, rescale } = useStore(recipeStore, selectDraft);
  const group = useStore(sourcesStore, selectGroup);
  const own = baseCard(group)?.dtypes[0];
  const asBase = own === undefined ? 'As the base' : `As the base (${own})`;
  return (
    <>
      <SelectField
        label="Merged dtype"
        value={mergedDtype ?? 'base'}
        options={[{ value: 'base', label: asBase }, ...MERGED_DTYPES]}
        onChange={(chosen) => {
          commitRecipe({ mergedDtype: chosen === 'base' ? null : chosen });
        }}
      />
      <SelectField
        label="Dtype of kept values"
        value={valueDtype}
        options={VALUES}
        onChange={(chosen) => {
          commitRecipe({ valueDtype: chosen });
        }}
        hint="Accuracy and bytes are those of the files with these dtypes."
      />
      {hasFactor(valueDtype) && (
        <SelectField
          label="Norm of kept values"
          value={rescale}
          options={NORMS}
          onChange={(chosen) => {
            commitRecipe({ rescale: chosen });
          }}
          hint="What is left out makes a task vector shorter. Restoring its length takes no byte more."
        />
      )}
    </>
  );
}
