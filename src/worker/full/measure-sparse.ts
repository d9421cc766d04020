/** What a share of kept entries costs and holds: exact counts, energy, and bytes of the files. */
import { SPARSE_COMPRESSORS, type SparseMethod } from '@/methods/registry';
import { sparseMethods } from './columns';
import { baseFile, finetunedFiles, mergedFile, sparseTaskFile } from './files-written';
import { sparseKey, sparseMethodId } from '@/worker/method-id';
import { type SparseFacts, type StorageRow } from '@/worker/protocol';
import { storageRow } from '@/worker/storage-row';
import { type FullJob } from './full-job';
import { type SparseMeasure } from './measure-book';
import { type SelectionSet } from './selection-set';

/** Measures every sparse method at one m, unless the book knows it, and tells the page. */
export async function measureSparse(
  job: FullJob,
  selections: SelectionSet,
  keptPercent: number,
): Promise<void> {
  const { group, recipe, emit } = job;
  for (const method of sparseMethods()) {
    const key = sparseKey(method, keptPercent, recipe);
    const measure =
      group.measures.get(key) ?? (await measureMethod(job, selections, method, keptPercent));
    group.measures.set(key, measure);
    for (const facts of measure.facts) emit({ type: 'sparse', facts });
  }
}

async function measureMethod(
  { group, recipe, signal }: FullJob,
  selections: SelectionSet,
  method: SparseMethod,
  keptPercent: number,
): Promise<SparseMeasure> {
  const { center } = SPARSE_COMPRESSORS[method];
  const id = sparseMethodId(method, keptPercent);
  const facts: SparseFacts[] = [];
  const files = [center === 'merged' ? mergedFile(group, recipe) : baseFile(group)];
  for (const [index, { name }] of group.tasks.entries()) {
    const selection = await selections.get(method, keptPercent, index);
    const { kept, nonZero, keptEnergy, totalEnergy } = await group.weights.stats(selection);
    signal.throwIfAborted();
    const energyShare = shareOf(keptEnergy, totalEnergy);
    facts.push({ method: id, task: name, kept, nonZero, energyShare });
    const mask = await group.weights.keptMask(selection);
    files.push(sparseTaskFile(group, recipe, { task: name, keptPercent, mask }));
  }
  return { facts, row: storageRow(id, files) };
}

/** Kept share of an energy; a task equal to the center has none to keep, so all of it is kept. */
function shareOf(kept: number, total: number): number | null {
  if (!Number.isFinite(total)) return null;
  return total === 0 ? 1 : kept / total;
}

/** Storage of every method known for this recipe: whole models, then each share kept. */
export function storageRows(
  { group, recipe }: FullJob,
  keptPercents: readonly number[],
): StorageRow[] {
  const sparse = sparseMethods().flatMap((method) =>
    keptPercents.flatMap((percent) => {
      const measure = group.measures.get(sparseKey(method, percent, recipe));
      return measure === null ? [] : [measure.row];
    }),
  );
  return [
    storageRow('pretrained', [baseFile(group)]),
    storageRow('finetuned', finetunedFiles(group)),
    storageRow('merged', [mergedFile(group, recipe)]),
    ...sparse,
  ];
}
