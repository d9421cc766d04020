/**
 * Recipes as files that the visitor drops: what of them is opened, and what the page sets. Loaded
 * when the first such file comes.
 */
import { type MergekitMerge, readMergekit } from '@/recipe/mergekit/mergekit-reader';
import { rankOfRecord } from '@/recipe/rank-record';
import { type NamePatterns } from '@/plan/names/name-patterns';
import { parseRepoRef } from '@/hub/repo-ref';
import { PeruError } from '@/core/errors';
import { isLoraRecipe, loraSettings, readLoraRecipe } from '@/recipe/read-lora-recipe';
import { type LoraRecipeFile } from '@/recipe/lora-recipe-file';
import { readRecipeFile } from '@/recipe/read-recipe';
import { type RecipeFile, type SourceRecord } from '@/recipe/recipe-file';
import { type SourceRequest } from '@/protocol/requests';
import { type Recipe } from '@/recipe/recipe';
import { rescaleOfRecord } from '@/recipe/stored-values';
import { referenceTo } from './recipe-of';

export { isLoraRecipe, readLoraRecipe, readRecipeFile };
export type { RecipeFile };

export interface RecipeOpening {
  /** Opens the sources that the recipe names. */
  readonly request: SourceRequest;
  /** Settings it names; the others stay as they are. */
  readonly recipe: Partial<Recipe>;
  /** Which of the base's tensors are merged. */
  readonly patterns: NamePatterns;
}

/** What a configuration of mergekit opens, and what of it is not followed. */
export interface MergekitOpening extends RecipeOpening {
  /** A sentence each, for people. */
  readonly notSaid: readonly string[];
}

/**
 * The sources of a recipe and its settings. What was opened is compared with the recipe's hashes.
 *
 * @throws PeruError `source` where sources lie on a disk, naming the files to add with their hashes
 */
export function recipeOpening(file: RecipeFile): RecipeOpening {
  const { include = [], exclude = [] } = file;
  return {
    request: requestOf(file),
    recipe: settingsOf(file),
    patterns: { include, exclude },
  };
}

/**
 * The same of LoRA files without a base.
 *
 * @throws PeruError `source` as `recipeOpening`
 */
export function loraOpening(file: LoraRecipeFile): RecipeOpening {
  const { group, files } = file;
  const { recipe, patterns } = settingsOfLoras(file);
  if (group.kind === 'demo')
    return { request: { kind: 'demo', demo: group.demo }, recipe, patterns };
  const repos = files.map(referenceTo).filter((one) => one !== null);
  if (group.kind === 'files' || repos.length < files.length) throw filesToAdd(files);
  const { hub } = group;
  const request = { kind: 'hub' as const, repos, ...(hub === undefined ? {} : { hubUrl: hub }) };
  return { request, recipe, patterns };
}

/** What the page sets by a recipe of LoRA files. */
export function settingsOfLoras(file: LoraRecipeFile): Omit<RecipeOpening, 'request'> {
  return { recipe: loraSettings(file), patterns: { include: [], exclude: [] } };
}

/**
 * The models of a mergekit configuration, as repos of the Hub.
 *
 * @param name of the file, for messages
 * @throws PeruError as `readMergekit`; `source` where models are paths of a disk
 */
export async function mergekitOpening(text: string, name: string): Promise<MergekitOpening> {
  const merge = await readMergekit(text, name);
  const { base, tasks, mergeMethod, lambda, dtype, notSaid } = merge;
  const repos = [...(base === null ? [] : [base]), ...tasks.map(({ repo }) => repo)];
  const paths = repos.filter((repo) => !isReference(repo));
  if (paths.length > 0) throw pathsToAdd(name, paths);
  return {
    request: { kind: 'hub', repos, ...(base === null ? {} : { base }) },
    recipe: {
      mergeMethod,
      ...(lambda === null ? {} : { lambda }),
      ...(dtype === null ? {} : { mergedDtype: dtype }),
    },
    patterns: { include: [], exclude: [] },
    notSaid,
  };
}

export type { MergekitMerge };

function requestOf(file: RecipeFile): SourceRequest {
  const { group, base, tasks } = file;
  if (group.kind === 'demo') return { kind: 'demo', demo: group.demo, recipe: file };
  const sources: readonly SourceRecord[] = [base, ...tasks];
  const references = sources.map(referenceTo).filter((one) => one !== null);
  if (group.kind === 'files' || references.length < sources.length) throw filesToAdd(sources);
  const { hub, preset } = group;
  return {
    kind: 'hub',
    // An export's merged model and sparse vectors are opened by one reference, to their folder.
    repos: [...new Set(references)],
    base: references[0]!,
    ...(hub === undefined ? {} : { hubUrl: hub }),
    ...(preset === undefined ? {} : { preset }),
    recipe: file,
  };
}

function settingsOf({ merge, compress }: RecipeFile): Partial<Recipe> {
  const merged = {
    mergeMethod: merge.method,
    ...(merge.lambda === undefined ? {} : { lambda: merge.lambda }),
    mergedDtype: merge.dtype,
  };
  if (compress.method === 'peru-lora') return { ...merged, rank: rankOfRecord(compress) };
  const { m: keptPercent, scope, values: valueDtype } = compress;
  return { ...merged, keptPercent, scope, valueDtype, ...rescaleOfRecord(compress) };
}

function filesToAdd(sources: readonly SourceRecord[]): PeruError {
  const listed = sources.flatMap(({ name, files }) =>
    files.map(({ path, sha256 }) => `${name}: ${path} (SHA-256 ${sha256})`),
  );
  return new PeruError(
    'source',
    `This recipe was made from files of a disk, which it can only name: ${sources.map(({ name }) => name).join(', ')}.`,
    `Add recipe.json together with these files: ${listed.join('; ')}.`,
  );
}

function isReference(text: string): boolean {
  try {
    // One word is a folder to mergekit sooner than one of the Hub's oldest repos.
    return parseRepoRef(text).repo.includes('/');
  } catch (error) {
    if (error instanceof PeruError) return false;
    throw error;
  }
}

function pathsToAdd(name: string, paths: readonly string[]): PeruError {
  return new PeruError(
    'source',
    `${name} names models by paths of a disk, which this page can not open: ${paths.join(', ')}.`,
    'Add these folders themselves and set the method and its coefficient here, or name the models as owner/name of the Hub.',
  );
}
