/** The files each method of a group of adapters stores, with the exact bytes they have. */
import { type AdapterPlan } from '@/formats/lora/adapter-plan';
import { isInSavedModule, isSavedEmbedding } from '@/formats/peft/keys';
import { type SourceSettings } from '@/export/adapter/adapter-config';
import { type AdapterFolderSpec, adapterFolderSize } from '@/export/adapter/adapter-size';
import { lowRankMethodId } from '@/recipe/method-id';
import { type AdapterContents } from '@/export/adapter/adapter-contents';
import { type RankChoice } from '@/methods/peru-lora';
import { type StorageRow } from '@/recipe/recipe';
import { storageRow } from '@/protocol/storage-row';
import { type AdapterGroup, type AdapterJob } from './adapter-group';
import { type MergedAdapter } from './merged-adapters';
import { previewOf } from './spectra';

/** No task's folder is called so (`fileStems`). */
export const MERGED_FOLDER = 'merged';

/** Storage of every method known for this recipe: each needs the base beside its adapters. */
export function adapterStorage(job: AdapterJob, choices: readonly RankChoice[]): StorageRow[] {
  const { group } = job;
  const base = {
    name: `${group.sources.base.name}.safetensors`,
    bytes: group.base.byteLength,
  };
  return [
    storageRow('pretrained', [base]),
    storageRow('finetuned', [base, ...group.ownFiles.flat()]),
    storageRow('merged', [base, ...mergedFiles(job)]),
    ...choices.map((choice) => {
      const files = previewOf(group, choice).flatMap(({ files: own }) => own);
      return storageRow(lowRankMethodId(choice), [base, ...files]);
    }),
  ];
}

/**
 * The merged adapter as it is written: all triplets that are not noise, copies in F32. Where a task
 * has a head of its own it has none, and names no task that PEFT would look for one for.
 */
export function mergedSpec(
  { contents, plan, base }: AdapterGroup,
  { ranks }: MergedAdapter,
): AdapterFolderSpec {
  const modules = contents.modules.map((module, i) => {
    const writtenName = mergedName(plan, module.name);
    return { ...module, writtenName, rank: ranks[i]! };
  });
  const copies = plan.replacedTensors.map((name) => {
    const shape = base.tensors.get(name)?.shape ?? [];
    return { name: mergedName(plan, name), dtype: 'F32' as const, shape };
  });
  return {
    modules,
    copies,
    baseModel: contents.baseModel,
    source: mergedSource(plan, contents, copies),
  };
}

/** What all sources say alike; and which modules the merged copies are of. */
function mergedSource(
  { adapters }: AdapterPlan,
  { tasks }: AdapterContents,
  copies: readonly { readonly name: string }[],
): SourceSettings {
  const sources = tasks.map(({ source }) => source);
  const alike = <Value>(values: readonly Value[]): Value | null =>
    new Set(values.map((value) => JSON.stringify(value))).size === 1 ? values[0]! : null;
  // PEFT loads embeddings that nothing announces into the base's table, and a tied head with it.
  const isOfEmbedding = (module: string): boolean =>
    copies.some(({ name }) => isSavedEmbedding(name) && isInSavedModule(name, module));
  const modules = new Set(sources.flatMap(({ modulesToSave }) => modulesToSave));
  const isWhole = adapters.every(({ own }) => own.length === 0);
  return {
    taskType: isWhole ? alike(sources.map(({ taskType }) => taskType)) : null,
    modelClass: alike(sources.map(({ modelClass }) => modelClass)),
    modulesToSave: [...modules].filter((module) => !isOfEmbedding(module)),
    tiesWeights: false,
  };
}

/** What the merged adapter calls a tensor of the base. */
export function mergedName({ adaptedNames }: AdapterPlan, name: string): string {
  return adaptedNames.get(name) ?? name;
}

function mergedFiles({ group }: AdapterJob): StorageRow['files'] {
  if (group.merged === null) return [];
  return adapterFolderSize(MERGED_FOLDER, mergedSpec(group, group.merged));
}
