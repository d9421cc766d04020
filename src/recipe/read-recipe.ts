/** Reads recipe.json and the recipes in the metadata of weights' files. Input is hostile. */
import { MERGE_PARAMETERS, type MergeParameter } from '@/methods/parameters';
import { MERGE_METHODS, type MergeMethod, MERGERS } from '@/methods/registry';
import { VALUE_FORMATS } from '@/codecs/value-formats';
import { FLOAT_DTYPES } from '@/tensor/dtype';
import { PeruError } from '@/core/errors';
import { readRankRecord } from './rank-record';
import { JsonFields } from './json-fields';
import {
  type FileRecord,
  type GroupRecord,
  type LowRankRecipe,
  type MergeRecipeFile,
  type RecipeFile,
  type SourceRecord,
  type SparseRecipe,
  type TaskRecord,
} from './recipe-file';

/** The newest recipe this version reads. */
const VERSION = 1;
/** Longest recipe read, in UTF-16 units: thousands of shards still take less. */
const MAX_RECIPE = 5_000_000;

const SHA256 = { test: /^[0-9a-f]{64}$/, is: 'a SHA-256 of 64 hex digits' };
const COMMIT = { test: /^[0-9a-f]{40,64}$/, is: 'a commit of 40 hex digits' };
const REPO = { test: /^[\w.-]+(?:\/[\w.-]+)?$/, is: 'a repo as owner/name' };
const ADDRESS = { test: /^https?:\/\/[^\s]+$/, is: 'a web address' };
/** Of a file in a recipe. */
export const PATH = {
  test: /^(?!\/)(?!(?:.*\/)?\.{1,2}(?:\/|$))[^\0]+$/,
  is: 'a path inside its folder',
};
const NAME = { test: /\S/, is: 'a name' };

/**
 * A whole recipe, as recipe.json or a sparse file holds it.
 *
 * @param file names it in messages
 * @throws PeruError `parse` when it is not a recipe of Peru's or a part is missing or out of bounds,
 *   `unsupported` when a newer version of Peru wrote it or it asks for a method unknown here
 */
export function readRecipeFile(text: string, file = 'recipe.json'): RecipeFile {
  return wholeRecipe(recipeFields(text, file), file);
}

/** The same, of JSON that was parsed before. */
export function readRecipeJson(json: unknown, file = 'recipe.json'): RecipeFile {
  return wholeRecipe(versioned(json, file), file);
}

function wholeRecipe(fields: JsonFields, file: string): RecipeFile {
  return { ...mergeRecipe(fields), compress: compression(fields.object('compress'), file) };
}

/**
 * The merge part, as `merged.safetensors` holds it; a whole recipe is read too, its rest left out.
 *
 * @throws PeruError as `readRecipeFile`
 */
export function readMergeRecipe(text: string, file: string): MergeRecipeFile {
  return mergeRecipe(recipeFields(text, file));
}

function recipeFields(text: string, file: string): JsonFields {
  if (text.length > MAX_RECIPE) {
    throw new PeruError(
      'parse',
      `${file} has ${text.length} characters; a recipe has at most ${MAX_RECIPE}.`,
      'Check that it is the recipe of an export.',
    );
  }
  return versioned(parsed(text, file), file);
}

/** @throws PeruError `parse` for what is no recipe, `unsupported` for that of a newer Peru */
export function versioned(json: unknown, file: string): JsonFields {
  const fields = new JsonFields(json, file);
  if (!fields.has('peru')) fields.fail('', 'is no recipe of Peru\'s: it lacks "peru"');
  const version = fields.whole('peru', 1);
  if (version > VERSION) {
    throw new PeruError(
      'unsupported',
      `${file} was written by a newer Peru: its version is ${version}, this page reads ${VERSION}.`,
      'Reload the page to get the newest Peru, then open it again.',
    );
  }
  return fields;
}

function parsed(text: string, file: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new PeruError(
      'parse',
      `${file} is not valid JSON: ${reason}.`,
      'Use recipe.json of an export, whole and unchanged.',
      { cause },
    );
  }
}

function mergeRecipe(fields: JsonFields): MergeRecipeFile {
  const merge = fields.object('merge');
  const tasks = fields.objects('tasks').map(taskRecord);
  if (tasks.length === 0) fields.fail('tasks', 'is empty');
  if (new Set(tasks.map(({ task }) => task)).size < tasks.length) {
    fields.fail('tasks', 'names a task twice');
  }
  return {
    peru: VERSION,
    title: fields.text('title'),
    group: groupRecordOf(fields.object('group')),
    merge: {
      method: mergeMethod(merge),
      ...mergeParameters(merge),
      dtype: merge.oneOf('dtype', FLOAT_DTYPES),
    },
    ...(fields.has('include') ? { include: fields.texts('include') } : {}),
    ...(fields.has('exclude') ? { exclude: fields.texts('exclude') } : {}),
    base: sourceRecordOf(fields.object('base')),
    tasks,
  };
}

function mergeMethod(merge: JsonFields): MergeMethod {
  const name = merge.text('method');
  const method = MERGE_METHODS.find((known) => known === name);
  if (method === undefined) throw unknownMethod('merge method', name);
  for (const parameter of MERGERS[method].parameters) {
    if (!merge.has(parameter)) merge.fail(parameter, 'is missing');
  }
  return method;
}

function mergeParameters(merge: JsonFields): Partial<Record<MergeParameter, number>> {
  const given = (Object.keys(MERGE_PARAMETERS) as MergeParameter[]).filter((key) => merge.has(key));
  return Object.fromEntries(
    given.map((key) => {
      const { min, max } = MERGE_PARAMETERS[key].bounds;
      return [key, merge.number(key, min, max)];
    }),
  );
}

/** Where a recipe's sources can be opened. */
export function groupRecordOf(group: JsonFields): GroupRecord {
  const kind = group.oneOf('kind', ['demo', 'hub', 'files']);
  switch (kind) {
    case 'demo':
      return { kind, demo: group.oneOf('demo', ['fft', 'lora', 'loras']) };
    case 'hub':
      return {
        kind,
        ...(group.has('hub') ? { hub: group.text('hub', ADDRESS) } : {}),
        ...(group.has('preset') ? { preset: group.text('preset', NAME) } : {}),
      };
    case 'files':
      return { kind };
  }
}

function taskRecord(source: JsonFields): TaskRecord {
  return { ...sourceRecordOf(source), task: source.text('task', NAME) };
}

/** A source with its files. */
export function sourceRecordOf(source: JsonFields): SourceRecord {
  return {
    name: source.text('name', NAME),
    ...(source.has('repo') ? { repo: source.text('repo', REPO) } : {}),
    ...(source.has('commit') ? { commit: source.text('commit', COMMIT) } : {}),
    ...(source.has('folder') ? { folder: source.text('folder', PATH) } : {}),
    files: source.objects('files').map((file): FileRecord => ({
      path: file.text('path', PATH),
      bytes: file.whole('bytes', 0),
      sha256: file.text('sha256', SHA256),
    })),
  };
}

function compression(compress: JsonFields, file: string): RecipeFile['compress'] {
  const method = compress.text('method');
  if (method === 'peru-fft') return sparse(compress);
  if (method === 'peru-lora') return lowRank(compress);
  throw unknownMethod(`method in ${file}`, method);
}

function sparse(compress: JsonFields): SparseRecipe {
  return {
    method: 'peru-fft',
    m: compress.number('m', 0, 100),
    scope: compress.oneOf('scope', ['global', 'tensor']),
    values: compress.oneOf('values', VALUE_FORMATS),
    ...(compress.has('rescale') ? { rescale: compress.oneOf('rescale', ['norm']) } : {}),
  };
}

function lowRank(compress: JsonFields): LowRankRecipe {
  return { method: 'peru-lora', ...readRankRecord(compress) };
}

function unknownMethod(what: string, method: string): PeruError {
  return new PeruError(
    'unsupported',
    `The ${what} is ${JSON.stringify(method)}, which this Peru does not know.`,
    'Reload the page to get the newest Peru, or choose one of its own methods.',
  );
}
