/** The recipe that lies in the folder of an export. */
import {
  type OpenOptions,
  fileLabel,
  joinPath,
  type RepoSource,
} from '@/sources/checkpoint-source';
import { isRecord, JSON_CAPS, readJson } from '@/sources/json-file';
import { RECIPE_FILE } from '@/sources/peru-export';
import { readRecipeFile } from '@/tensor/recipe/read-recipe';
import { type RecipeFile, type SourceRecord } from '@/tensor/recipe/recipe-file';

/**
 * @returns null where there is no recipe.json, or another program's
 * @throws PeruError `parse` when it is broken, `unsupported` when a newer Peru wrote it
 */
export async function recipeOf(repo: RepoSource, options: OpenOptions): Promise<RecipeFile | null> {
  const blob = await repo.open(RECIPE_FILE, options);
  if (blob === null) return null;
  const label = fileLabel(repo, RECIPE_FILE);
  const json = await readJson(blob, label, JSON_CAPS.recipe);
  if (!isRecord(json) || json['peru'] === undefined) return null;
  return readRecipeFile(JSON.stringify(json), label);
}

/** `owner/name/folder@commit`, as the page takes references; null for what lies on no Hub. */
export function referenceTo({ repo, folder = '', commit }: SourceRecord): string | null {
  if (repo === undefined) return null;
  const place = joinPath(repo, folder).replace(/\/$/, '');
  return commit === undefined ? place : `${place}@${commit}`;
}
