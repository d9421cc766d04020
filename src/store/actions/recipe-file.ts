/** Recipes that the visitor adds as files: one of Peru's exports, or a mergekit configuration. */
import { PeruError } from '@/core/errors';
import { type Recipe } from '@/recipe/recipe';
import { readHubUrl } from '@/store/hub/hub-url';
import { type AddedFile, type NamePatterns, type SourceRequest } from '@/store/state/sources';

/** What such a file opens. */
export interface RecipeToOpen {
  /** Null where what is open stays open: the settings are for it. */
  readonly request: Exclude<SourceRequest, { kind: 'files' }> | null;
  readonly recipe: Partial<Recipe>;
  readonly patterns: NamePatterns;
  /** What of it is not followed, a sentence each. */
  readonly notes: readonly string[];
}

const MERGEKIT = /\.ya?ml$/i;
/** Browsers number what is downloaded twice. */
const OWN = /(?:^|\/)recipe[^/]*\.json$/i;

/** Recipes are text of a few kilobytes; this many characters are read of none. */
const MAX_BYTES = 5_000_000;

/** Whether a file that is added alone says what to open, rather than being opened itself. */
export function isRecipeFile(path: string): boolean {
  return MERGEKIT.test(path) || OWN.test(path);
}

/**
 * Reads the file; the code that knows its formats comes when it is first needed.
 *
 * @param open what is open now
 * @returns null where it describes files of a disk, and such files are open: it belongs to them
 * @throws PeruError when it is broken, too large, or names what can not be opened
 */
export async function readRecipe(
  { path, file }: AddedFile,
  open: SourceRequest | null,
): Promise<RecipeToOpen | null> {
  if (file.size > MAX_BYTES) throw tooLarge(path);
  const [text, reader] = await Promise.all([file.text(), import('@/sources/recipe-opening')]);
  if (MERGEKIT.test(path)) {
    const { request, recipe, patterns, notSaid } = await reader.mergekitOpening(text, path);
    return { request: anywhere(request, path), recipe, patterns, notes: notSaid };
  }
  const json = jsonOf(text);
  if (reader.isLoraRecipe(json)) {
    const recipe = reader.readLoraRecipe(json, path);
    const isForOpen = recipe.group.kind === 'files' && open?.kind === 'files';
    if (isForOpen) return { ...reader.settingsOfLoras(recipe), request: null, notes: [] };
    const opening = reader.loraOpening(recipe);
    return { ...opening, request: anywhere(opening.request, path), notes: [] };
  }
  const recipe = reader.readRecipeFile(text, path);
  if (recipe.group.kind === 'files' && open?.kind === 'files') return null;
  const opening = reader.recipeOpening(recipe);
  return { ...opening, request: anywhere(opening.request, path), notes: [] };
}

/** Null where it is none, which the reader of recipes says better. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Files can not be named; a Hub must be one that a link may name too. */
function anywhere(request: SourceRequest, path: string): Exclude<SourceRequest, { kind: 'files' }> {
  const isSafe =
    request.kind !== 'hub' ||
    request.hubUrl === undefined ||
    readHubUrl(request.hubUrl) !== undefined;
  if (request.kind !== 'files' && isSafe) return request;
  throw new PeruError(
    'unsupported',
    `${path} names sources that this page does not open.`,
    'Add the checkpoints themselves; a Hub other than huggingface.co needs an https address.',
  );
}

function tooLarge(path: string): PeruError {
  return new PeruError(
    'parse',
    `${path} is larger than any recipe.`,
    'Add the recipe.json of an export, or a mergekit configuration.',
  );
}
