/** What a recipe file says of an open group: enough to make the same files again. */
import { type GroupRecord, type MergeRecipeFile, type RecipeFile } from '@/recipe/recipe-file';
import { MERGERS } from '@/methods/registry';
import { type NamePatterns } from '@/plan/names/name-patterns';
import { type FloatDtype } from '@/tensor/dtype';
import { rankRecord } from '@/recipe/rank-record';
import { type SourceRequest } from '@/protocol/requests';
import { type Recipe } from '@/recipe/recipe';
import { isRescaled } from '@/recipe/stored-values';
import { type SourceManifest, type SourceRecords } from './source-manifest';

/** Where a loaded group came from. */
export interface GroupOrigin {
  readonly title: string;
  readonly group: GroupRecord;
  /** Which of the base's tensors are merged. */
  readonly patterns: NamePatterns;
  /** The sources hold NaN or Inf, perhaps, and the visitor went on. */
  readonly allowNonFinite: boolean;
  /** Of the base, then of the tasks, as their model cards name them. */
  readonly licences: readonly (string | null)[];
  readonly book: SourceManifest;
}

/** Where the sources can be opened again. */
export function groupRecord(request: SourceRequest): GroupRecord {
  switch (request.kind) {
    case 'demo':
      return { kind: 'demo', demo: request.demo };
    case 'files':
      return { kind: 'files' };
    case 'hub': {
      const { hubUrl, preset } = request;
      const hub = hubUrl === undefined ? {} : { hub: hubUrl };
      return { kind: 'hub', ...hub, ...(preset === undefined ? {} : { preset }) };
    }
  }
}

/**
 * What decides theta*, or the merged adapter.
 *
 * @param dtype of the merged tensors as they are written
 */
export function mergeRecord(
  { title, group, patterns: { include, exclude } }: GroupOrigin,
  recipe: Recipe,
  dtype: FloatDtype,
  { base, tasks }: SourceRecords,
): MergeRecipeFile {
  const method = recipe.mergeMethod;
  const parameters = MERGERS[method].parameters.map((key) => [key, recipe[key]] as const);
  return {
    peru: 1,
    title,
    group,
    merge: { method, ...Object.fromEntries(parameters), dtype },
    ...(include.length > 0 ? { include } : {}),
    ...(exclude.length > 0 ? { exclude } : {}),
    base,
    tasks,
  };
}

/** The recipe of a group of full fine-tunes. */
export function sparseRecord(merge: MergeRecipeFile, recipe: Recipe): RecipeFile {
  const { keptPercent: m, scope, valueDtype: values } = recipe;
  const rescale = isRescaled(recipe) ? ({ rescale: 'norm' } as const) : {};
  return { ...merge, compress: { method: 'peru-fft', m, scope, values, ...rescale } };
}

/** The recipe of a group of adapters. */
export function lowRankRecord(merge: MergeRecipeFile, { rank }: Recipe): RecipeFile {
  return { ...merge, compress: { method: 'peru-lora', ...rankRecord(rank) } };
}
