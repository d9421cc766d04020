/** What a share of kept entries costs and holds: exact counts, energy, and bytes of the files. */
import { SPARSE_COMPRESSORS, type SparseMethod } from '@/methods/registry';
import { sparseMethods } from './columns';
import { baseFile, finetunedFiles, mergedFile, sparseTaskFile } from './files-written';
import { type Job } from './job';
import { sparseKey, sparseMethodId } from './method-id';
import { type SparseFacts, type StorageRow } from './protocol';
import { type SparseMeasure } from './score-book';
import { type SelectionSet } from './selection-set';

/** Measures every sparse method at one m, unless the book knows it, and tells the page. */
export async function measureSparse(
  job: Job,
  selections: SelectionSet,
  keptPercent: number,
): Promise<void> {
  const { group, recipe, emit } = job;
  for (const method of sparseMethods()) {
    const key = sparseKey(method, keptPercent, recipe);
    const measure =
      group.book.measure(key) ?? (await measureMethod(job, selections, method, keptPercent));
    group.book.setMeasure(key, measure);
    for (const facts of measure.facts) emit({ type: 'sparse', facts });
  }
}

async function measureMethod(
  { group, recipe, signal }: Job,
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
export function storageRows({ group, recipe }: Job, keptPercents: readonly number[]): StorageRow[] {
  const sparse = sparseMethods().flatMap((method) =>
    keptPercents.flatMap((percent) => {
      const measure = group.book.measure(sparseKey(method, percent, recipe));
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

function storageRow(method: string, files: StorageRow['files']): StorageRow {
  return { method, files, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) };
}
