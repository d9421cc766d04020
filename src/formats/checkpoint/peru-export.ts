/**
 * What Peru exported, opened again: the merged model as the base, and for each task its sparse
 * vector on top of it as a checkpoint (`tensor/sparse/virtual-checkpoint`).
 */
import { type CheckpointTensors } from '@/tensor/checkpoint-tensors';
import { isFloatDtype } from '@/tensor/dtype';
import { PeruError } from '@/core/errors';
import { type ByteSource } from '@/tensor/byte-source';
import { readSafetensorsHeader, type SafetensorsHeader } from '@/tensor/safetensors';
import { checkSparseFits, virtualCheckpoint } from '@/formats/sparse/virtual-checkpoint';
import { readPackedFile } from '@/formats/sparse/packed-sparse';
import {
  isPackedHeader,
  readSparseFacts,
  readSparseFile,
  type SparseFacts,
} from '@/formats/sparse/sparse-file';
import { type OpenSparse } from '@/formats/sparse/overlaid-bytes';
import {
  type CheckpointSource,
  fileLabel,
  joinPath,
  type OpenOptions,
  openRequired,
  openWeights,
  type RepoSource,
  SHARD_INDEX_FILE,
} from './checkpoint-source';
import { mergedSha256, sha256Of } from './content-hash';
import { readShardIndex } from './shard-index';

export const SPARSE_SUFFIX = '.sparse.safetensors';
const MERGED_FILE = 'merged.safetensors';
export const RECIPE_FILE = 'recipe.json';
/** Folder of an export that holds the adapters of all tasks merged into one. */
export const MERGED_ADAPTER = 'merged';

/** Files of an export of full fine-tunes, by their names in its folder. */
export interface ExportNames {
  /** The index of the merged model's shards, or its only file; null where it is missing. */
  readonly mergedPath: string | null;
  /** At least one, sorted. */
  readonly sparsePaths: readonly string[];
}

/** A folder that holds an export. */
export interface ExportSource extends ExportNames {
  readonly repo: RepoSource;
}

/** A task of an export that was opened again. */
export interface ReopenedTask extends CheckpointSource {
  /** Name of its file without `.sparse.safetensors`. */
  readonly stem: string;
  /** The recipe in its metadata, unread: JSON, or anything. */
  readonly recipe: string;
}

export interface ReopenedExport {
  readonly merged: CheckpointSource;
  readonly tasks: readonly ReopenedTask[];
}

/** Whether a folder's files, by their names, are an export of full fine-tunes; null where not. */
export function exportNames(names: Iterable<string>): ExportNames | null {
  const all = [...names];
  const sparsePaths = all.filter((name) => name.endsWith(SPARSE_SUFFIX)).sort();
  if (sparsePaths.length === 0) return null;
  const mergedPath = [SHARD_INDEX_FILE, MERGED_FILE].find((name) => all.includes(name)) ?? null;
  return { mergedPath, sparsePaths };
}

/**
 * Reads the headers and checks that the files belong together; the weights are read later.
 *
 * @throws PeruError `source` without the merged model, `parse` for damaged files, `unsupported` for
 *   a newer version, `mismatch` for a sparse file of another merged model
 */
export async function reopenExport(
  { repo, mergedPath, sparsePaths }: ExportSource,
  options: OpenOptions = {},
): Promise<ReopenedExport> {
  if (mergedPath === null) throw noMerged(repo, sparsePaths);
  const merged: CheckpointSource = { ...repo, weightsPath: mergedPath };
  const [weights, sha256, headers] = await Promise.all([
    openWeights(merged, options),
    hashOfMerged(merged, options),
    Promise.all(sparsePaths.map((path) => openHeader(repo, path, options))),
  ]);
  for (const { header } of headers) {
    const named = readSparseFacts(header);
    if (named.mergedSha256 !== sha256) throw otherMerged(repo, mergedPath, named, sha256);
  }
  const sparse = await Promise.all(headers.map((one) => openSparse(one, weights)));
  for (const one of sparse) checkSparseFits(one, weights);
  const changed = changedNames(weights, sparse);
  const tasks = sparse.map((one, i) => {
    return virtualSource(repo, sparsePaths[i]!, { merged: weights, sparse: one, changed });
  });
  return { merged, tasks };
}

/** What some task changes; where none changes anything (m = 0), every task is the merged model. */
function changedNames(
  { tensors }: CheckpointTensors,
  sparse: readonly OpenSparse[],
): ReadonlySet<string> {
  const changed = new Set(sparse.flatMap(({ file }) => [...file.tensors.keys()]));
  if (changed.size > 0) return changed;
  const floating = [...tensors.values()].filter(({ dtype }) => isFloatDtype(dtype));
  return new Set(floating.map(({ name }) => name));
}

interface OpenHeader {
  readonly source: ByteSource;
  readonly header: SafetensorsHeader;
  readonly isPacked: boolean;
}

async function openHeader(
  repo: RepoSource,
  path: string,
  options: OpenOptions,
): Promise<OpenHeader> {
  const source = await openRequired(repo, path, options);
  const header = await readSafetensorsHeader(source, fileLabel(repo, path));
  return { source, header, isPacked: isPackedHeader(header) };
}

async function openSparse(
  { source, header, isPacked }: OpenHeader,
  merged: CheckpointTensors,
): Promise<OpenSparse> {
  const file = isPacked ? await readPackedFile(source, header, merged) : readSparseFile(header);
  return { source, file };
}

async function hashOfMerged(merged: CheckpointSource, options: OpenOptions): Promise<string> {
  const { weightsPath } = merged;
  const shards = [];
  for (const path of await shardsOf(merged, options)) {
    shards.push(await sha256Of(merged, path, options));
  }
  if (shards.length === 0) throw noMerged(merged, [weightsPath]);
  return mergedSha256(shards);
}

/** Names of the merged model's files, in the order of their numbers. */
async function shardsOf(merged: CheckpointSource, options: OpenOptions): Promise<string[]> {
  const { weightsPath } = merged;
  if (weightsPath !== SHARD_INDEX_FILE) return [weightsPath];
  const index = await openRequired(merged, weightsPath, options);
  const shardOf = await readShardIndex(index, fileLabel(merged, weightsPath));
  return [...new Set(shardOf.values())].sort();
}

function virtualSource(
  repo: RepoSource,
  path: string,
  parts: {
    readonly merged: CheckpointTensors;
    readonly sparse: OpenSparse;
    readonly changed: ReadonlySet<string>;
  },
): ReopenedTask {
  const stem = path.slice(0, -SPARSE_SUFFIX.length);
  const { merged, sparse, changed } = parts;
  return {
    ...repo,
    id: virtualId(repo, path),
    name: stem,
    stem,
    recipe: sparse.file.recipe,
    weightsPath: path,
    openTensors: () => Promise.resolve(virtualCheckpoint(stem, merged, sparse, changed)),
  };
}

/** The file's own path; for the Hub with its commit behind it, as references are written. */
function virtualId({ id, folder }: RepoSource, path: string): string {
  const at = id.lastIndexOf('@');
  return joinPath(folder, path) + (at < 0 ? '' : id.slice(at));
}

function noMerged(repo: RepoSource, sparsePaths: readonly string[]): PeruError {
  return new PeruError(
    'source',
    `${fileLabel(repo, sparsePaths[0]!)} came without its merged model, which its values are added to.`,
    `Add the whole folder of the export, with ${MERGED_FILE} (or its shards) and ${SHARD_INDEX_FILE}.`,
  );
}

function otherMerged(
  repo: RepoSource,
  mergedPath: string,
  file: SparseFacts,
  sha256: string,
): PeruError {
  return new PeruError(
    'mismatch',
    `${file.fileName} was made for another merged model: it names SHA-256 ${short(file.mergedSha256)}…, but that of ${fileLabel(repo, mergedPath)} is ${short(sha256)}….`,
    'Keep the files of one export together: added to another model, its values would make nonsense.',
  );
}

function short(sha256: string): string {
  return sha256.slice(0, 12);
}
