/** What a task's own part of full fine-tunes takes on disk, and what it may be asked to take. */
import { type Bounds } from '@/methods/parameters';
import { sparseMethodId } from '@/recipe/parsed-method';
import { type Recipe } from '@/recipe/recipe';
import { type ResultsState } from '@/store/state/results';

const SPARSE_ENDING = '.sparse.safetensors';
/** The slider ends at this share of a fine-tuned model: above, nothing is gained. */
const SLIDER_SHARE = 0.08;

/** Bytes of the largest task's sparse file; null before they are counted. */
export function taskBytes(
  storage: ResultsState['storage'],
  { keptPercent }: Pick<Recipe, 'keptPercent'>,
): number | null {
  const files = storage[sparseMethodId('peru-fft', keptPercent)]?.files ?? [];
  const sparse = files.filter(({ name }) => name.endsWith(SPARSE_ENDING));
  return sparse.length === 0 ? null : Math.max(...sparse.map(({ bytes }) => bytes));
}

/** A hundred to a thousand round steps, up to a fine-tuned model; null before its bytes are known. */
export function taskBytesBounds(storage: ResultsState['storage']): Bounds | null {
  const whole = Math.max(0, ...(storage.finetuned?.files.map(({ bytes }) => bytes) ?? []));
  if (whole === 0) return null;
  const end = SLIDER_SHARE * whole;
  const step = 10 ** Math.max(0, Math.floor(Math.log10(end)) - 2);
  const sliderMax = Math.ceil(end / step) * step;
  return { min: step, max: whole, sliderMax, step, decimals: 0 };
}
