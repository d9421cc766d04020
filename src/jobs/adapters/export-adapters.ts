/**
 * Exports a group of adapters: each at the recipe's rank, and the merged one. Their base is named,
 * not copied.
 */
import { adapterFolderSize, type AdapterFolderSpec } from '@/export/adapter/adapter-size';
import { writeAdapter, type WriteAdapterSpec } from '@/export/adapter/write-adapter';
import { type LowRankGroup } from '@/tensor/low-rank';
import { adapterFolders, adapterSpec } from '@/export/adapter/adapter-preview';
import { type AdapterJob } from './adapter-group';
import { type MergedAdapter } from './merged-adapters';
import { mergedCopies } from './copied-tensors';
import { mergeAdapters } from './merged-adapter';
import { previewOf } from './spectra';
import { MERGED_FOLDER, mergedName, mergedSpec } from './storage';
import { lowRankMethodId } from '@/recipe/method-id';
import { type ExportRequest } from '@/protocol/requests';
import { addAbout } from '@/jobs/staging/about-files';
import { readStored } from '@/jobs/staging/read-stored';
import { lowRankRecord, mergeRecord } from '@/jobs/group/recipe-record';
import { Staging, type StagingPlace, type WrittenExport } from '@/jobs/staging/staging';

/**
 * Makes the recipe's files; the caller removes the folder when this fails.
 *
 * @throws PeruError for files that can not be read or written, or differ when read back; the
 *   signal's reason once aborted
 */
export async function exportAdapters(
  job: AdapterJob,
  request: ExportRequest,
  place: StagingPlace,
): Promise<WrittenExport> {
  const { group, recipe, emit, signal } = job;
  await group.products.lowRank.factorize();
  signal.throwIfAborted();
  await mergeAdapters(job);
  const { origin, contents } = group;
  const merged = mergedAdapter(job);
  const folders = adapterFolders(contents);
  const specs = previewOf(group, recipe.rank).map(({ ranks }, task) => {
    return adapterSpec(contents, task, ranks);
  });
  const staged = await Staging.begin(place, {
    emit,
    signal,
    allowNonFinite: origin.allowNonFinite,
    totalBytes: totalBytes([...specs, mergedSpec(group, merged)]),
  });
  const records = await origin.book.hashedRecords(job);
  for (const [task, spec] of specs.entries()) {
    await addAdapter(staged, folders[task]!, taskAdapter(job, task, spec));
  }
  await addAdapter(staged, MERGED_FOLDER, await mergedWritten(job, merged));
  await addAbout(staged, request, {
    recipe: lowRankRecord(mergeRecord(origin, recipe, 'F32', records), recipe),
    method: lowRankMethodId(recipe.rank),
    licences: origin.licences,
    stems: folders,
    index: [],
  });
  return { staged, index: [] };
}

function totalBytes(specs: readonly AdapterFolderSpec[]): number {
  const files = specs.flatMap((spec) => adapterFolderSize('', spec));
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}

async function addAdapter(
  staged: Staging,
  folderName: string,
  spec: WriteAdapterSpec,
): Promise<void> {
  await staged.add('adapter', (folder, options) => writeAdapter(folder, folderName, spec, options));
}

/** A task's adapter: leading triplets of its products, and its own copies as they are. */
function taskAdapter(
  { group, signal }: AdapterJob,
  task: number,
  spec: AdapterFolderSpec,
): WriteAdapterSpec {
  const { lowRank, indexOf } = group.products;
  const { copies } = group.plan.adapters[task]!;
  return {
    ...spec,
    factorsOf: ({ name, rank }) => factorsOf(lowRank, indexOf[task]!.get(name), rank),
    readCopy: (name, start, end) => readStored(copies.get(name), start, end, signal),
  };
}

/** The merged adapter: its copies are small enough to be merged as a whole before. */
async function mergedWritten(
  { group, signal }: AdapterJob,
  merged: MergedAdapter,
): Promise<WriteAdapterSpec> {
  const { engine, base, plan, contents } = group;
  const parts = {
    base,
    adapters: plan.adapters,
    names: plan.replacedTensors,
    mergePlan: merged.mergePlan,
  };
  // Copies were looked through when the group was opened.
  const options = { allowNonFinite: true, emit: () => undefined, signal };
  const weights = await mergedCopies(engine, parts, 'cpu', options);
  const copies = new Map(
    [...weights.tensors].map(
      ([name, { data }]) => [mergedName(plan, name), bytesOf(data as Float32Array)] as const,
    ),
  );
  weights.dispose();
  const products = new Map(contents.modules.map(({ name }, i) => [name, i] as const));
  return {
    ...mergedSpec(group, merged),
    factorsOf: ({ name, rank }) => factorsOf(merged.lowRank, products.get(name), rank),
    readCopy: (name, start, end) => {
      const bytes = copies.get(name);
      if (bytes === undefined) throw new RangeError(`"${name}" was not merged.`);
      return Promise.resolve(bytes.slice(start, end));
    },
  };
}

function factorsOf(lowRank: LowRankGroup, product: number | undefined, rank: number) {
  if (product === undefined) throw new RangeError('A module was asked for that nobody adapts.');
  return lowRank.balancedFactors(product, rank);
}

/** A copy of its own, little-endian as all machines that have a GPU are. */
function bytesOf(values: Float32Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(values.slice().buffer);
}

function mergedAdapter({ group }: AdapterJob): MergedAdapter {
  if (group.merged === null) throw new Error('The merged adapter was used before it was made.');
  return group.merged;
}
