/** What LoRA files would become, from their spectra while a slider moves. Pure. */
import { errorFacts, type ErrorFacts } from '@/core/errors';
import { type LoraContents, type LoraFileFacts } from '@/export/lora/lora-contents';
import { type LoraOutput, previewLoras } from '@/export/lora/lora-preview';
import { COMBINED } from '@/recipe/lora-choices';
import { spellingOf } from '@/export/lora/written-names';
import { combinedKey } from '@/recipe/lora-choices';
import { type Recipe } from '@/recipe/recipe';
import { type Spectra } from '@/store/state/results';

export type { LoraContents, LoraFileFacts, LoraOutput };

export interface LoraPreview {
  /** Null before the spectra are there, and where the choices can not be carried out. */
  readonly outputs: readonly LoraOutput[] | null;
  readonly error: ErrorFacts | null;
}

const NOTHING: LoraPreview = { outputs: null, error: null };

/** @param committed the recipe that the spectra of the sum belong to */
export function lorasAt(
  contents: LoraContents | null,
  spectra: Spectra | null,
  { rank, lora }: Recipe,
  committed: Recipe,
): LoraPreview {
  if (contents === null || spectra === null) return NOTHING;
  const names = contents.files.map(({ name }) => name);
  // Other weights are another sum, which is known once they are let go.
  const isOther = combinedKey(lora, names) !== combinedKey(committed.lora, names);
  if (lora.make === 'one' && isOther) return NOTHING;
  try {
    return { outputs: previewLoras(contents, spectra.spectra, { rank, lora }), error: null };
  } catch (error) {
    return { outputs: null, error: errorFacts(error) };
  }
}

/** The file made of all, where that is what is made. */
export function sumOf(outputs: readonly LoraOutput[] | null): LoraOutput | null {
  return outputs?.find(({ name }) => name === COMBINED) ?? null;
}

/** What people call the way that a file's factors are named. */
export function spellingTitle(spelling: LoraFileFacts['spelling']): string {
  return spellingOf(spelling).title;
}
