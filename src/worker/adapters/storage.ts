/** The files each method of a group of adapters stores, with the exact bytes they have. */
import { type AdapterFolderSpec, adapterFolderSize } from '@/export/adapter-size';
import { lowRankMethodId } from '@/worker/method-id';
import { type RankChoice, type StorageRow } from '@/worker/protocol';
import { storageRow } from '@/worker/storage-row';
import { type AdapterGroup, type AdapterJob, type MergedAdapter } from './adapter-group';
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

/** The merged adapter as it is written: all triplets that are not noise, copies in F32. */
export function mergedSpec(
  { contents, plan, base }: AdapterGroup,
  { ranks }: MergedAdapter,
): AdapterFolderSpec {
  const modules = contents.modules.map((module, i) => ({ ...module, rank: ranks[i]! }));
  const copies = plan.replacedTensors.map((name) => {
    return { name, dtype: 'F32' as const, shape: base.tensors.get(name)?.shape ?? [] };
  });
  const types = new Set(contents.tasks.map(({ taskType }) => taskType));
  const taskType = types.size === 1 ? contents.tasks[0]!.taskType : null;
  return { modules, copies, baseModel: contents.baseModel, taskType };
}

function mergedFiles({ group }: AdapterJob): StorageRow['files'] {
  if (group.merged === null) return [];
  return adapterFolderSize(MERGED_FOLDER, mergedSpec(group, group.merged));
}
