/** recipe.json of LoRA files as text, keys in one order. */
import { type LoraRecipeFile } from './lora-recipe-file';
import { orderedGroup, orderedSource } from './recipe-json';
import { rankOfRecord, rankRecord } from './rank-record';

export function loraRecipeText(file: LoraRecipeFile): string {
  return `${JSON.stringify(ordered(file), null, 2)}\n`;
}

function ordered({ peru, title, group, lora, written, files }: LoraRecipeFile): LoraRecipeFile {
  const { make, rank, cap, convolutions, spelling, alpha, carried, weights } = lora;
  return {
    peru,
    title,
    group: orderedGroup(group),
    lora: {
      make,
      rank: rankRecord(rankOfRecord(rank)),
      ...(cap !== undefined && { cap }),
      ...(convolutions && { convolutions: rankRecord(rankOfRecord(convolutions)) }),
      spelling,
      alpha,
      ...(carried && { carried }),
      ...(weights && { weights }),
    },
    ...(written !== undefined && { written }),
    files: files.map((source) => ({
      ...orderedSource(source),
      ...(source.written !== undefined && { written: source.written }),
    })),
  };
}
