import { type Recipe } from '@/recipe/recipe';

/** What a run looks for before it computes: m, and in how many bits kept values are stored. */
export type Goal =
  /** The largest m whose sparse files take no more bytes, none of them. */
  | { readonly kind: 'bytes'; readonly bytesPerTask: number }
  /** The smallest m that keeps this share of the fine-tuned average, on the first rows of each test. */
  | { readonly kind: 'recovery'; readonly percent: number };

/** What was found: a change of the recipe, and how it was chosen. */
export interface Found {
  readonly change: Pick<Recipe, 'keptPercent' | 'valueDtype'>;
  /** For people, after "m was chosen by". */
  readonly chosenBy: string;
}
