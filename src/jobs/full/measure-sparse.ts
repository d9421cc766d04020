/** What a share of kept entries costs and holds: exact counts, energy, and bytes of the files. */
import { SPARSE_COMPRESSORS, type SparseMethod } from '@/methods/registry';
import {
  baseFile,
  type FileSize,
  finetunedFiles,
  mergedFiles,
  sparseTaskFile,
} from './files-written';
import { sparseKey, sparseMethodId } from '@/recipe/method-id';
import { type SparseFacts } from '@/protocol/results';
import { type StorageRow } from '@/recipe/recipe';
import { storageRow } from '@/protocol/storage-row';
import { isPacked } from '@/codecs/packed/packed-format';
import { type KeptMeasure, type Selection } from '@/tensor/engine';
import { type FullJob } from './full-job';
import { type TaskContents } from './measure-cache';
import { planPacked } from './packed-task';
import { type SelectionSet } from './selection-set';

/** A measure as it grows, task by task. */
interface Draft {
  readonly method: SparseMethod;
  readonly keptPercent: number;
  readonly facts: SparseFacts[];
  readonly files: FileSize[];
  readonly contents: TaskContents[];
}

/**
 * Measures sparse methods at these m, unless the book knows it, and tells the page. All m of a task
 * and method are selected and measured together; tasks are the outer loop: streamed weights of a task
 * come once for all.
 */
export async function measureSparse(
  job: FullJob,
  selections: SelectionSet,
  keptPercents: readonly number[],
  methods: readonly SparseMethod[] = job.recipe.compressors,
): Promise<void> {
  const { group, recipe, emit, signal } = job;
  const drafts: Draft[] = [];
  for (const keptPercent of keptPercents) {
    for (const method of methods) {
      const known = group.measures.get(sparseKey(method, keptPercent, recipe));
      if (known === null) drafts.push({ method, keptPercent, facts: [], files: [], contents: [] });
      else for (const facts of known.facts) emit({ type: 'sparse', facts });
    }
  }
  const { length: total } = group.tasks;
  for (const done of drafts.length === 0 ? [] : group.tasks.keys()) {
    const progress = { stage: 'Selecting entries', done, total, unit: 'tasks' as const };
    emit({ type: 'progress', progress });
    for (const method of methods) {
      signal.throwIfAborted();
      const open = drafts.filter((draft) => draft.method === method);
      await measureTask(job, selections, open, done);
    }
  }
  for (const { method, keptPercent, facts, files, contents } of drafts) {
    const center = centerFiles(job, method);
    const row = storageRow(sparseMethodId(method, keptPercent), [...center, ...files]);
    group.measures.set(sparseKey(method, keptPercent, recipe), { facts, row, contents });
  }
}

/** @param drafts of one method */
async function measureTask(
  job: FullJob,
  selections: SelectionSet,
  drafts: readonly Draft[],
  index: number,
): Promise<void> {
  const [first] = drafts;
  if (first === undefined) return;
  const keptPercents = drafts.map(({ keptPercent }) => keptPercent);
  const made = await selections.get(first.method, keptPercents, index);
  const measures = await job.group.weights.measure(made);
  job.signal.throwIfAborted();
  for (const [i, draft] of drafts.entries()) {
    const contents = await contentsOf(job, made[i]!, measures[i]!);
    job.emit({ type: 'sparse', facts: addTask(job, draft, index, measures[i]!, contents) });
  }
}

/** How entries are packed is found in one pass more, for each m. */
async function contentsOf(
  job: FullJob,
  selection: Selection,
  { counts }: KeptMeasure,
): Promise<TaskContents> {
  const { valueDtype } = job.recipe;
  if (!isPacked(valueDtype)) return { counts, packed: null };
  return { counts, packed: await planPacked(job, selection, valueDtype) };
}

function addTask(
  { group, recipe }: FullJob,
  { method, keptPercent, facts, files, contents }: Draft,
  index: number,
  { stats }: KeptMeasure,
  own: TaskContents,
): SparseFacts {
  const { name: task } = group.tasks[index]!;
  const { kept, nonZero, keptEnergy, totalEnergy } = stats;
  const energyShare = shareOf(keptEnergy, totalEnergy);
  const id = sparseMethodId(method, keptPercent);
  const told = { method: id, task, kept, nonZero, energyShare };
  facts.push(told);
  contents.push(own);
  files.push(sparseTaskFile(group, { ...recipe, keptPercent }, index, own));
  return told;
}

function centerFiles({ group, recipe }: FullJob, method: SparseMethod): FileSize[] {
  const { center } = SPARSE_COMPRESSORS[method];
  return center === 'merged' ? mergedFiles(group, recipe) : [baseFile(group)];
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
  const sparse = recipe.compressors.flatMap((method) =>
    keptPercents.flatMap((percent) => {
      const measure = group.measures.get(sparseKey(method, percent, recipe));
      return measure === null ? [] : [measure.row];
    }),
  );
  return [
    storageRow('pretrained', [baseFile(group)]),
    storageRow('finetuned', finetunedFiles(group)),
    storageRow('merged', mergedFiles(group, recipe)),
    ...sparse,
  ];
}
