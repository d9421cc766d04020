/** The recipe of LoRA files as it stands in their metadata, and in recipe.json. */
import { type LoraChoices, weightOf } from '@/recipe/lora-choices';
import { rankRecord } from '@/recipe/rank-record';
import { type RankChoice } from '@/methods/peru-lora';
import { type LoraRecord } from '@/recipe/lora-recipe-file';
import { type LoraContents } from './lora-contents';

/** What was decided, with defaults left out and keys in one order. */
export function loraRecord(
  { files }: Pick<LoraContents, 'files'>,
  { rank, lora }: { readonly rank: RankChoice; readonly lora: LoraChoices },
): LoraRecord {
  const { make, cap, convolutions, spelling, alpha, carried } = lora;
  return {
    make,
    rank: rankRecord(rank),
    ...(cap === null ? {} : { cap }),
    ...(convolutions === null ? {} : { convolutions: rankRecord(convolutions) }),
    spelling,
    alpha,
    ...(carried === 'keep' ? {} : { carried }),
    ...(make === 'one' ? { weights: files.map(({ name }) => weightOf(lora, name)) } : {}),
  };
}

/** On one line, for metadata. */
export function loraRecipeLine(
  contents: Pick<LoraContents, 'files'>,
  recipe: { readonly rank: RankChoice; readonly lora: LoraChoices },
): string {
  const files = contents.files.map(({ name }) => name);
  return JSON.stringify({ peru: 1, lora: loraRecord(contents, recipe), files });
}
