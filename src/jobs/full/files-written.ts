/**
 * The files each method stores, with the exact bytes they have or would have when written: sizes
 * and files come from the same descriptions.
 */
import { fileStems } from '@/export/file-stems';
import { type MergedFileSpec, mergedFileSizes } from '@/export/merged-size';
import { mergeRecipeJson, recipeJson } from '@/recipe/recipe-json';
import { sparseHeader, type SparseHeaderSpec, type TensorCost } from '@/export/sparse/sparse-size';
import { isPacked } from '@/codecs/packed/packed-format';
import { type PackedPlan } from '@/codecs/packed/packed-plan';
import { packedHeader, type PackedHeaderSpec } from '@/export/sparse/packed-size';
import { directoryTensors } from '@/formats/sparse/packed-sparse';
import { type FloatDtype, type ValueDtype } from '@/tensor/dtype';
import { type KeptCount } from '@/tensor/engine';
import { type MergeRecipeFile } from '@/recipe/recipe-file';
import { mergeRecord, sparseRecord } from '@/jobs/group/recipe-record';
import { type SourceRecords } from '@/jobs/group/source-manifest';
import { type Recipe } from '@/recipe/recipe';
import { type FullGroup } from './load-full';
import { type TaskContents } from './measure-cache';
import { ownEntries } from './own-tensors';

export interface FileSize {
  readonly name: string;
  readonly bytes: number;
}

/** The base as it lies at its source. */
export function baseFile({ sources, checkpoints }: FullGroup): FileSize {
  return { name: `${sources.base.name}.safetensors`, bytes: checkpoints[0].byteLength };
}

/**
 * Every task's own checkpoint; with the base where none of them serves without it: it holds tensors
 * that they lack, or they are what sets them apart from it.
 */
export function finetunedFiles(group: FullGroup): FileSize[] {
  const [, ...tasks] = group.checkpoints;
  const files = tasks.map(({ name, byteLength }) => {
    return { name: `${name}.safetensors`, bytes: byteLength };
  });
  const areParts = group.sources.tasks.some(({ model }) => model.openTensors !== undefined);
  return areParts || group.plan.untouched.length > 0 ? [baseFile(group), ...files] : files;
}

/** Dtype of theta*: the recipe's, or that of most of the base's merged elements. */
export function mergedDtypeOf(group: FullGroup, { mergedDtype }: Recipe): FloatDtype {
  return mergedDtype ?? group.mergedDtype;
}

/**
 * What made theta*.
 *
 * @param records default: with digits in the place of hashes that are not known yet, for sizes
 */
export function mergeRecipe(
  group: FullGroup,
  recipe: Recipe,
  records: SourceRecords = group.origin.book.records(),
): MergeRecipeFile {
  return mergeRecord(group.origin, recipe, mergedDtypeOf(group, recipe), records);
}

/** The merged model: every tensor of the base, the merged ones and their copies in the recipe's dtype. */
export function mergedSpec(
  group: FullGroup,
  recipe: Recipe,
  merge: MergeRecipeFile,
): MergedFileSpec {
  const { layout, tied } = group.plan;
  const merged = new Set([...layout.tensors.map(({ name }) => name), ...tied.keys()]);
  const dtype = mergedDtypeOf(group, recipe);
  return {
    baseTensors: group.checkpoints[0].tensors,
    dtypeOf: (name) => (merged.has(name) ? dtype : undefined),
    tied,
    recipeJson: mergeRecipeJson(merge),
  };
}

/** The merged model's weights and the index that maps them. */
export function mergedFiles(group: FullGroup, recipe: Recipe): FileSize[] {
  return mergedFileSizes(mergedSpec(group, recipe, mergeRecipe(group, recipe)));
}

/** What tasks' sparse files are called, in the order of the tasks. */
export function sparsePaths({ tasks }: Pick<FullGroup, 'tasks'>): string[] {
  return fileStems(tasks.map(({ name }) => name)).map((stem) => `${stem}.sparse.safetensors`);
}

/** A task's entries, value by value, with the tensors that it keeps whole. */
export function sparseSpec(
  group: FullGroup,
  recipe: Recipe & { readonly valueDtype: ValueDtype },
  merge: MergeRecipeFile,
  task: number,
  counts: readonly KeptCount[],
): SparseHeaderSpec {
  const costs = tensorCosts(group, counts);
  const { valueDtype } = recipe;
  return {
    costs,
    ownTensors: ownEntries(group, task),
    valueDtype,
    keptPercent: recipe.keptPercent,
    recipeJson: recipeJson(sparseRecord(merge, recipe)),
  };
}

/** What each tensor's kept entries take, by its name. */
function tensorCosts(
  { plan: { layout } }: Pick<FullGroup, 'plan'>,
  counts: readonly KeptCount[],
): TensorCost[] {
  return counts.map(({ tensor, ...cost }) => ({ name: layout.tensors[tensor]!.name, ...cost }));
}

/** The same packed. */
export function packedSpec(
  group: FullGroup,
  recipe: Recipe,
  merge: MergeRecipeFile,
  task: number,
  plan: PackedPlan,
): PackedHeaderSpec {
  const { baseTensors, dtypeOf } = mergedSpec(group, recipe, merge);
  const written = Array.from(baseTensors, ([name, { dtype, shape }]) => {
    return { name, dtype: dtypeOf?.(name) ?? dtype, shape };
  });
  return {
    plan,
    tensors: directoryTensors(written),
    ownTensors: ownEntries(group, task),
    keptPercent: recipe.keptPercent,
  };
}

/** A task's sparse file for the entries that were counted. */
export function sparseTaskFile(
  group: FullGroup,
  recipe: Recipe,
  task: number,
  { counts, packed }: TaskContents,
): FileSize {
  const merge = mergeRecipe(group, recipe);
  const { valueDtype } = recipe;
  const { header } = isPacked(valueDtype)
    ? packedHeader(packedSpec(group, recipe, merge, task, packed!))
    : sparseHeader(sparseSpec(group, { ...recipe, valueDtype }, merge, task, counts));
  return { name: sparsePaths(group)[task]!, bytes: header.fileBytes };
}
