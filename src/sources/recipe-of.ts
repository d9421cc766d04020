/** The recipe that lies in the folder of an export. */
import {
  type OpenOptions,
  fileLabel,
  type RepoSource,
  WEIGHTS_FILE,
} from '@/formats/checkpoint/checkpoint-source';
import { isRecord, JSON_CAPS, readJson } from '@/formats/checkpoint/json-file';
import { RECIPE_FILE, SPARSE_SUFFIX } from '@/formats/checkpoint/peru-export';
import { isLoraRecipe } from '@/recipe/read-lora-recipe';
import { readRecipeJson } from '@/recipe/read-recipe';
import { type RecipeFile, type SourceRecord } from '@/recipe/recipe-file';

/**
 * @returns null where there is no recipe.json, or another program's
 * @throws PeruError `parse` when it is broken, `unsupported` when a newer Peru wrote it
 */
export async function recipeOf(repo: RepoSource, options: OpenOptions): Promise<RecipeFile | null> {
  const blob = await repo.open(RECIPE_FILE, options);
  if (blob === null) return null;
  const label = fileLabel(repo, RECIPE_FILE);
  const json = await readJson(blob, label, JSON_CAPS.recipe);
  // LoRA files that were exported open as what they are.
  if (!isRecord(json) || json['peru'] === undefined || isLoraRecipe(json)) return null;
  return readRecipeJson(json, label);
}

/**
 * `owner/name/folder@commit`, as the page takes references; with the file, where the checkpoint is one
 * that its folder is not known by. Null for what lies on no Hub.
 */
export function referenceTo({ repo, folder = '', commit, files }: SourceRecord): string | null {
  if (repo === undefined) return null;
  const [only, another] = files;
  const isNamed = only !== undefined && another === undefined && isNamedFile(only.path);
  const place = [repo, folder, isNamed ? only.path : ''].filter((part) => part !== '').join('/');
  return commit === undefined ? place : `${place}@${commit}`;
}

/** A sparse vector is no checkpoint by itself: its folder is opened. */
function isNamedFile(path: string): boolean {
  return path.endsWith('.safetensors') && path !== WEIGHTS_FILE && !path.endsWith(SPARSE_SUFFIX);
}
