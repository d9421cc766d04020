/** What an export says of itself: recipe, results, model card. */
import { type CardFacts } from '@/export/card/card-facts';
import { mergekitYaml } from '@/recipe/mergekit/mergekit';
import { modelCard } from '@/export/card/model-card';
import { recipeFileText } from '@/recipe/recipe-json';
import { type ExportRequest } from '@/protocol/requests';
import { type Staging } from './staging';

/** Adds them after all other files, which the card lists. */
export async function addAbout(
  staging: Staging,
  { results, link }: ExportRequest,
  facts: Pick<CardFacts, 'recipe' | 'method' | 'licences' | 'stems' | 'index'>,
): Promise<void> {
  const { recipe } = facts;
  await staging.addText('recipe.json', recipeFileText(recipe));
  if (recipe.compress.method === 'peru-fft') {
    await staging.addText('mergekit.yml', mergekitYaml(recipe));
  }
  await staging.addText('results.json', `${JSON.stringify(results, null, 2)}\n`);
  await staging.addText('README.md', modelCard({ ...facts, results, link, files: staging.files }));
}
