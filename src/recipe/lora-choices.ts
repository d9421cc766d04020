/** What is decided of LoRA files beside their ranks. */
import { type RankChoice } from '@/methods/peru-lora';

export interface LoraChoices {
  /** Every file by itself, smaller; or all of them as one. */
  readonly make: 'each' | 'one';
  /** Most triplets of any module; null: no more than `rank` says. */
  readonly cap: number | null;
  /** Of convolutions, 1 x 1 too; null: as all others. */
  readonly convolutions: RankChoice | null;
  /** How factors are named and lie; `source`: as each file has them. */
  readonly spelling: LoraSpelling;
  /** `ratio`: the file's own alpha / r stays; `rank`: alpha is r, so that the scale is 1. */
  readonly alpha: 'ratio' | 'rank';
  /** What is neither factor nor alpha: written again, or left out, as servers of adapters want it. */
  readonly carried: 'keep' | 'leave';
  /** By file; 1 where it is not named. Of `one` only. */
  readonly weights: Readonly<Record<string, number>>;
}

export const LORA_SPELLINGS = ['source', 'kohya', 'peft', 'mlx'] as const;
export type LoraSpelling = (typeof LORA_SPELLINGS)[number];

export const DEFAULT_LORA: LoraChoices = {
  make: 'each',
  cap: null,
  convolutions: null,
  spelling: 'source',
  alpha: 'ratio',
  carried: 'keep',
  weights: {},
};

/** Key of the file made of all in spectra and results; no file is called so. */
export const COMBINED = 'combined';

/** The weight of a file in the sum. */
export function weightOf({ weights }: Pick<LoraChoices, 'weights'>, file: string): number {
  // A file may be called as a property of every object is.
  return Object.hasOwn(weights, file) ? weights[file]! : 1;
}

/** Equal for two choices that make the same sum of files. */
export function combinedKey(choices: LoraChoices, files: readonly string[]): string {
  return files.map((file) => String(weightOf(choices, file))).join(' ');
}

/** Equal for two choices that write the same files. */
export function loraKey(choices: LoraChoices): string {
  const { make, cap, convolutions, spelling, alpha, carried, weights } = choices;
  // Order of keys is that in which they were set: it means nothing.
  const own = Object.entries(weights).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([make, cap, convolutions, spelling, alpha, carried, own]);
}
