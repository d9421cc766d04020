import { COMBINED } from '@/recipe/lora-choices';
import { type Recipe } from '@/recipe/recipe';
import { type Spectra } from '@/store/state/results';

/** The spectra that the ranks cut: those of the files, or of their sum. */
export function cutSpectra(spectra: Spectra, { lora }: Pick<Recipe, 'lora'>): Spectra {
  const isCut = ({ task }: { readonly task: string }): boolean =>
    (task === COMBINED) === (lora.make === 'one');
  return { ...spectra, spectra: spectra.spectra.filter(isCut) };
}
