/** The files each method of a group of adapters stores, with the exact bytes they have. */
import { adapterFolderSize } from '@/export/adapter-size';
import { lowRankMethodId } from '@/worker/method-id';
import { type RankChoice, type StorageRow } from '@/worker/protocol';
import { storageRow } from '@/worker/storage-row';
import { type AdapterJob } from './adapter-job';
import { previewOf } from './spectra';

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

function mergedFiles({ group }: AdapterJob): StorageRow['files'] {
  const { merged, contents, plan, base } = group;
  if (merged === null) return [];
  const modules = contents.modules.map((module, i) => ({ ...module, rank: merged.ranks[i]! }));
  // Merged copies are written as F32.
  const elements = plan.replacedTensors.map((name) => base.tensors.get(name)?.elementCount ?? 0);
  const otherBytes = 4 * elements.reduce((sum, count) => sum + count, 0);
  return adapterFolderSize('merged', { modules, otherBytes });
}
