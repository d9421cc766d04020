/** The files each method stores, with the exact bytes they have or would have when written. */
import { mergedFileBytes } from '@/export/merged-size';
import { sparseFileSize } from '@/export/sparse-size';
import { type SafetensorsDtype } from '@/tensor/safetensors-dtype';
import { VALUE_DTYPE } from './columns';
import { type Recipe } from '@/worker/protocol';
import { type FullGroup } from './load-full';
import { ownTensors } from './own-tensors';

export interface FileSize {
  readonly name: string;
  readonly bytes: number;
}

/** A commit or content hash has 64 hex digits; only their number matters for a size. */
const HASH_PLACEHOLDER = '0'.repeat(64);

/** The base as it lies at its source. */
export function baseFile({ sources, checkpoints }: FullGroup): FileSize {
  return { name: `${sources.base.name}.safetensors`, bytes: checkpoints[0].byteLength };
}

/**
 * Every task's own checkpoint; with the base where it holds tensors the fine-tunes lack, since
 * none of them serves without it.
 */
export function finetunedFiles(group: FullGroup): FileSize[] {
  const [, ...tasks] = group.checkpoints;
  const files = tasks.map(({ name, byteLength }) => {
    return { name: `${name}.safetensors`, bytes: byteLength };
  });
  return group.plan.untouched.length > 0 ? [baseFile(group), ...files] : files;
}

/** `merged.safetensors`: every tensor of the base, the merged ones and their copies as `mergedDtype`. */
export function mergedFile(group: FullGroup, recipe: Recipe): FileSize {
  const { layout, tied } = group.plan;
  const merged = new Set([...layout.tensors.map(({ name }) => name), ...tied.keys()]);
  const dtypeOf = (name: string): SafetensorsDtype | undefined =>
    merged.has(name) ? group.mergedDtype : undefined;
  const { tensors: baseTensors } = group.checkpoints[0];
  const bytes = mergedFileBytes({ baseTensors, dtypeOf, recipeJson: recipeJson(group, recipe) });
  return { name: 'merged.safetensors', bytes };
}

/**
 * `TASK.sparse.safetensors` for the entries set in `mask`, with the tensors that the task keeps
 * whole because they can not be merged.
 */
export function sparseTaskFile(
  group: FullGroup,
  recipe: Recipe,
  sparse: { readonly task: number; readonly keptPercent: number; readonly mask: Uint32Array },
): FileSize {
  const own = [...ownTensors(group, sparse.task)].map(([name, { dtype, shape }]) => {
    return { name, dtype, shape };
  });
  const { bytes } = sparseFileSize({
    layout: group.plan.layout,
    ownTensors: own,
    mask: sparse.mask,
    valueDtype: VALUE_DTYPE,
    keptPercent: sparse.keptPercent,
    recipeJson: recipeJson(group, recipe),
  });
  return { name: `${group.tasks[sparse.task]!.name}.sparse.safetensors`, bytes };
}

/** What made the file: method, settings and every source with its hash. */
function recipeJson({ sources, checkpoints }: FullGroup, recipe: Recipe): string {
  const [base, ...tasks] = checkpoints.map(({ name }) => ({ name, sha256: HASH_PLACEHOLDER }));
  const { mergeMethod: merge, lambda, scope } = recipe;
  return JSON.stringify({ group: sources.title, merge, lambda, scope, base, tasks });
}
