/** Ranks of the modules of LoRA files: the rule of most, that of convolutions, and the cap. */
import { type LoraChoices } from '@/recipe/lora-choices';
import { chooseRanks, type ModuleSpectrum, type RankChoice } from '@/methods/peru-lora';

export interface LoraSpectrum extends ModuleSpectrum {
  readonly isConvolution: boolean;
}

/**
 * Triplets to keep, in the order given; a module that is there keeps one at least. A budget of bytes
 * is shared by all that are given and ruled by it.
 */
export function chooseLoraRanks(
  modules: readonly LoraSpectrum[],
  rank: RankChoice,
  { cap, convolutions }: Pick<LoraChoices, 'cap' | 'convolutions'>,
): number[] {
  const ranks = new Array<number>(modules.length).fill(0);
  const choose = (own: readonly number[], choice: RankChoice): void => {
    const chosen = chooseRanks(
      own.map((index) => modules[index]!),
      choice,
    );
    for (const [i, index] of own.entries()) ranks[index] = chosen[i]!;
  };
  const all = [...modules.keys()];
  if (convolutions === null) choose(all, rank);
  else {
    choose(
      all.filter((index) => !modules[index]!.isConvolution),
      rank,
    );
    choose(
      all.filter((index) => modules[index]!.isConvolution),
      convolutions,
    );
  }
  return ranks.map((chosen, index) => {
    const most = Math.min(cap ?? Infinity, modules[index]!.values.length);
    // A module without a triplet could not be written in every spelling, and would be missed.
    return Math.min(most, Math.max(1, chosen));
  });
}
