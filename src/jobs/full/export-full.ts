/**
 * Exports a group of full fine-tunes: the merged model, what each task keeps beside it, and what
 * makes them usable and repeatable elsewhere. Tensors go to disk one by one, tasks one after the
 * other, so that streamed weights of a task come once.
 */
import { fileStems } from '@/export/file-stems';
import { entropyBytes, indexCost, type PositionCost } from '@/export/sparse/index-cost';
import { mergedSha } from '@/export/verify-file';
import { writeMerged } from '@/export/write-merged';
import { writePacked } from '@/export/sparse/write-packed';
import { type ReadOwn } from '@/export/sparse/write-own';
import { writeSparse } from '@/export/sparse/write-sparse';
import { type WriteOptions, type WrittenFile } from '@/export/written-file';
import { type ExportFolder } from '@/export/file-sink';
import { isPacked } from '@/codecs/packed/packed-format';
import { positionBytes } from '@/codecs/packed/packed-plan';
import { type Selection } from '@/tensor/engine';
import { type FlatLayout } from '@/tensor/layout';
import { type MergeRecipeFile } from '@/recipe/recipe-file';
import {
  mergedFiles,
  mergedSpec,
  mergeRecipe,
  packedSpec,
  sparsePaths,
  sparseSpec,
} from './files-written';
import { type FullJob } from './full-job';
import { type SparseMeasure, type TaskContents } from './measure-cache';
import { codeTask, type CodedOf } from './packed-task';
import { measureSparse } from './measure-sparse';
import { mergeGroup } from './merge-group';
import { ownTensors } from './own-tensors';
import { SelectionSet } from './selection-set';
import { sparseKey, sparseMethodId } from '@/recipe/method-id';
import { isRescaled } from '@/recipe/stored-values';
import { type IndexCost } from '@/protocol/export-facts';
import { type ExportRequest } from '@/protocol/requests';
import { addAbout } from '@/jobs/staging/about-files';
import { sparseRecord } from '@/jobs/group/recipe-record';
import { readStored } from '@/jobs/staging/read-stored';
import { addSideFiles, sideFiles } from '@/jobs/staging/side-files';
import { Staging, type StagingPlace, type WrittenExport } from '@/jobs/staging/staging';

/** The method whose files are exported. */
const METHOD = 'peru-fft';

/**
 * Makes the recipe's files; the caller removes the folder when this fails.
 *
 * @throws PeruError for files that can not be read or written, or differ when read back; the
 *   signal's reason once aborted
 */
export async function exportFull(
  job: FullJob,
  request: ExportRequest,
  place: StagingPlace,
): Promise<WrittenExport> {
  const selections = new SelectionSet(job);
  try {
    await mergeGroup(job);
    const measure = await measured(job, selections);
    const sizes = plannedBytes(job, measure);
    const { emit, signal, group } = job;
    const { allowNonFinite, book } = group.origin;
    const side = await sideFiles(group.sources.base, signal);
    const totalBytes = side.reduce((sum, { blob }) => sum + blob.size, sizes);
    const staged = await Staging.begin(place, { emit, signal, allowNonFinite, totalBytes });
    const merge = mergeRecipe(group, job.recipe, await book.hashedRecords(job));
    const mergedSha256 = await addMerged(job, merge, staged);
    const { contents } = measure;
    const index = await addSparse(job, selections, { merge, mergedSha256, staged, contents });
    await addSideFiles(staged, group.sources.base, side, signal);
    await addAbout(staged, request, {
      recipe: sparseRecord(merge, job.recipe),
      method: sparseMethodId(METHOD, job.recipe.keptPercent),
      licences: group.origin.licences,
      stems: fileStems(group.tasks.map(({ name }) => name)),
      index,
    });
    return { staged, index };
  } finally {
    selections.dispose();
  }
}

/** What the Storage table was told of the kept entries; measured where they are not yet. */
async function measured(job: FullJob, selections: SelectionSet): Promise<SparseMeasure> {
  const { group, recipe } = job;
  const key = sparseKey(METHOD, recipe.keptPercent, recipe);
  const known = group.measures.get(key);
  if (known !== null) return known;
  await measureSparse(job, selections, [recipe.keptPercent], [METHOD]);
  return group.measures.get(key)!;
}

/** Bytes of the weights' files, as the Storage table has them. */
function plannedBytes({ group, recipe }: FullJob, { row }: SparseMeasure): number {
  const sparse = new Set(sparsePaths(group));
  const files = [
    ...mergedFiles(group, recipe),
    ...row.files.filter(({ name }) => sparse.has(name)),
  ];
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** @returns the hash by which sparse files name the merged model */
async function addMerged(
  { group, recipe, signal }: FullJob,
  merge: MergeRecipeFile,
  staged: Staging,
): Promise<string> {
  const { layout, tied } = group.plan;
  const starts = new Map(layout.tensors.map(({ name, flatStart }) => [name, flatStart] as const));
  const spec = {
    ...mergedSpec(group, recipe, merge),
    readMerged: (name: string, start: number, count: number) => {
      const flatStart = starts.get(tied.get(name) ?? name);
      if (flatStart === undefined) throw new RangeError(`"${name}" is not merged.`);
      return group.weights.readMerged(flatStart + start, count);
    },
    read: (name: string, start: number, end: number) =>
      readStored(group.checkpoints[0].tensors.get(name), start, end, signal),
  };
  const files = await staged.add('merged', async (folder, options) => {
    const { shards, index } = await writeMerged(folder, spec, options);
    return [...shards, index];
  });
  return mergedSha(files.slice(0, -1).map(({ sha256 }) => sha256));
}

async function addSparse(
  job: FullJob,
  selections: SelectionSet,
  {
    merge,
    mergedSha256,
    staged,
    contents,
  }: {
    readonly merge: MergeRecipeFile;
    readonly mergedSha256: string;
    readonly staged: Staging;
    readonly contents: SparseMeasure['contents'];
  },
): Promise<IndexCost[]> {
  const { group, recipe, signal } = job;
  const { layout } = group.plan;
  const paths = sparsePaths(group);
  const index: IndexCost[] = [];
  for (const { index: task, name } of group.tasks) {
    const [selection] = await selections.get(METHOD, [recipe.keptPercent], task);
    signal.throwIfAborted();
    const own = ownTensors(group, task);
    const shared = {
      mergedSha256,
      readOwn: (tensor: string, start: number, end: number) =>
        readStored(own.get(tensor), start, end, signal),
    };
    const write = writerOf(job, merge, selection!, contents[task]!, shared);
    await staged.add('sparse', async (folder, options) => [
      await write(folder, paths[task]!, options),
    ]);
    index.push({ task: name, ...positionCost(contents[task]!, layout.elementCount) });
  }
  return index;
}

/** Writes one task's file, value by value or packed. */
function writerOf(
  job: FullJob,
  merge: MergeRecipeFile,
  selection: Selection,
  { counts, packed }: TaskContents,
  shared: { readonly mergedSha256: string; readonly readOwn: ReadOwn },
): (folder: ExportFolder, path: string, options: WriteOptions) => Promise<WrittenFile> {
  const { group, recipe } = job;
  const { layout } = group.weights;
  const { task } = selection;
  const { valueDtype } = recipe;
  if (!isPacked(valueDtype)) {
    const encoded = group.weights.encodeKept(selection, valueDtype, isRescaled(recipe));
    const header = sparseSpec(group, { ...recipe, valueDtype }, merge, task, counts);
    const spec = { ...header, ...shared, layout, encoded };
    return (folder, path, options) => writeSparse(folder, path, spec, options);
  }
  const coded = namedTensors(codeTask(job, selection, packed!, isRescaled(recipe)), layout);
  const spec = { ...packedSpec(group, recipe, merge, task, packed!), ...shared, coded };
  return (folder, path, options) => writePacked(folder, path, spec, options);
}

async function* namedTensors(coded: AsyncIterable<CodedOf>, { tensors }: FlatLayout) {
  for await (const one of coded) yield { name: tensors[one.tensor]!.name, coded: one.coded };
}

function positionCost({ counts, packed }: TaskContents, elementCount: number): PositionCost {
  if (packed === null) return indexCost(counts, elementCount);
  const { kept } = packed;
  return { kept, gapBytes: positionBytes(packed), entropyBytes: entropyBytes(kept, elementCount) };
}
