/** What an export of LoRA files says of itself: recipe, results, model card. */
import { type LoraCardFacts, loraCard } from '@/export/card/lora-card';
import { loraRecipeText } from '@/recipe/lora-recipe-json';
import { type ExportRequest } from '@/protocol/requests';
import { type Staging } from './staging';

/** Adds them after all other files, which the card lists. */
export async function addLoraAbout(
  staging: Staging,
  { results, link }: ExportRequest,
  facts: Pick<LoraCardFacts, 'recipe' | 'outputs' | 'licences'>,
): Promise<void> {
  await staging.addText('recipe.json', loraRecipeText(facts.recipe));
  await staging.addText('results.json', `${JSON.stringify(results, null, 2)}\n`);
  await staging.addText('README.md', loraCard({ ...facts, results, link, files: staging.files }));
}
