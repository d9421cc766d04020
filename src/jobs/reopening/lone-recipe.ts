/** A recipe.json that was added alone: it names what is opened. */
import { type OpenOptions } from '@/formats/checkpoint/checkpoint-source';
import { JSON_CAPS, readJson } from '@/formats/checkpoint/json-file';
import { RECIPE_FILE } from '@/formats/checkpoint/peru-export';
import { isLoraRecipe, readLoraRecipe } from '@/recipe/read-lora-recipe';
import { readRecipeJson } from '@/recipe/read-recipe';
import { loraOpening, recipeOpening } from '@/sources/recipe-opening';
import { type SourceRequest } from '@/protocol/requests';

type LocalFiles = Extract<SourceRequest, { kind: 'files' }>['files'];

/**
 * @returns what the recipe opens; null where there are weights, or no single recipe
 * @throws PeruError for a broken recipe; `source` naming the files to add, where they lie on a disk
 */
export async function requestOfLoneRecipe(
  files: LocalFiles,
  options: OpenOptions,
): Promise<SourceRequest | null> {
  if (files.some(({ path }) => /\.safetensors$/i.test(path))) return null;
  const [only, another] = files.filter(({ path }) => path.split('/').at(-1) === RECIPE_FILE);
  if (only === undefined || another !== undefined) return null;
  options.signal?.throwIfAborted();
  const json = await readJson(only.file, only.path, JSON_CAPS.recipe);
  return isLoraRecipe(json)
    ? loraOpening(readLoraRecipe(json, only.path)).request
    : recipeOpening(readRecipeJson(json, only.path)).request;
}
