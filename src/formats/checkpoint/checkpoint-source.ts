/**
 * A repo is a folder of files laid out as on the Hugging Face Hub; a checkpoint source is a repo
 * with weights. Where the files come from (embedded zoo, local disk) is the opener's business.
 */
import { type ByteSource } from '@/tensor/byte-source';
import { type CheckpointTensors, checkpointTensors } from '@/tensor/checkpoint-tensors';
import { PeruError } from '@/core/errors';
import { listFew } from '@/core/list-names';
import { readSafetensorsHeader, type SafetensorsHeader } from '@/tensor/safetensors';
import { isSparseHeader } from '@/formats/sparse/sparse-file';
import { JSON_CAPS, readJsonObject } from './json-file';
import { refuseFactors } from './refuse-factors';
import { refuseQuantised } from './refuse-quantised';
import { readShardIndex } from './shard-index';

export interface OpenOptions {
  readonly signal?: AbortSignal;
  /** Called as bytes of a file arrive; `totalBytes` is null while unknown. */
  readonly onProgress?: (progress: ByteProgress) => void;
  /** Called when a server's limit on requests brings them to a stop, and with null when they go on. */
  readonly onPause?: (pause: Pause | null) => void;
}

/** Requests stand still until then. */
export interface Pause {
  /** Who answered that there are too many. */
  readonly host: string;
  /** When the next one goes out, in ms since 1970. */
  readonly untilMs: number;
}

export interface ByteProgress {
  readonly path: string;
  readonly loadedBytes: number;
  readonly totalBytes: number | null;
}

export interface RepoSource {
  /** Unique within the group: the path of the folder or file. */
  readonly id: string;
  /** For people and messages. */
  readonly name: string;
  /** Where its files lie, for messages; empty for files without a folder. */
  readonly folder: string;
  /** Paths inside the repo of the files that are known to lie in its folder; absent: not listed. */
  readonly paths?: readonly string[];
  /** What to do about a missing file; default: how to save it again. */
  readonly ifMissing?: string;
  /** SHA-256 of a file by its path inside the repo, in hex, where its host lists one; else null. */
  readonly listedSha256?: (path: string) => string | null;
  /**
   * Opens one file by its path inside the repo; null when the repo has no such file.
   *
   * @throws PeruError `source` when it can not be fetched
   */
  open(path: string, options?: OpenOptions): Promise<ByteSource | null>;
}

export interface CheckpointSource extends RepoSource {
  /** Path inside the repo of the safetensors file, or of the index of its shards. */
  readonly weightsPath: string;
  /** All shards, the first of which is `weightsPath`, where no index names them. */
  readonly shards?: readonly string[];
  /** Gives the tensors where they do not lie in that file as they are. */
  readonly openTensors?: (options?: OpenOptions) => Promise<CheckpointTensors>;
}

export const CONFIG_FILE = 'config.json';
export const WEIGHTS_FILE = 'model.safetensors';
export const SHARD_INDEX_FILE = 'model.safetensors.index.json';

/**
 * Opens a file the repo can not do without.
 *
 * @throws PeruError `source` when it is missing or can not be fetched
 */
export async function openRequired(
  repo: RepoSource,
  path: string,
  options?: OpenOptions,
): Promise<ByteSource> {
  const blob = await repo.open(path, options);
  if (blob !== null) return blob;
  throw new PeruError(
    'source',
    `${repo.name} has no file ${path}.`,
    repo.ifMissing ??
      `Add ${path} from the folder the checkpoint was saved to; transformers writes it with save_pretrained.`,
  );
}

/**
 * Reads the header(s) of a checkpoint's weights.
 *
 * @throws PeruError `source` for missing files, `parse` or `unsupported` for broken ones, and for what
 *   is no checkpoint of weights: factors, codes of a quantised model
 */
export async function openWeights(
  source: CheckpointSource,
  options?: OpenOptions,
): Promise<CheckpointTensors> {
  if (source.openTensors !== undefined) return source.openTensors(options);
  const weights = source.weightsPath.endsWith('.index.json')
    ? await openIndexed(source, options)
    : await openFiles(source, source.shards ?? [source.weightsPath], options);
  refuseFactors(weights);
  await refuseQuantised(weights, () => readConfig(source, options));
  return weights;
}

/** Opens the shards that an index names, and checks that they hold what it says. */
async function openIndexed(
  source: CheckpointSource,
  options: OpenOptions | undefined,
): Promise<CheckpointTensors> {
  const index = await openRequired(source, source.weightsPath, options);
  const shardOf = await readShardIndex(index, fileLabel(source, source.weightsPath));
  const shards = [...new Set(shardOf.values())].sort();
  const missing = shards.filter((shard) => source.paths?.includes(shard) === false);
  if (missing.length > 0) throw missingShards(source, missing);
  const weights = await openFiles(source, shards, options);
  for (const [tensor, shard] of shardOf) {
    if (weights.tensors.get(tensor)?.fileName === fileLabel(source, shard)) continue;
    throw new PeruError(
      'parse',
      `Tensor "${tensor}" is not in ${fileLabel(source, shard)}, where the index of ${source.name} puts it.`,
      'Keep the index and the shards of one save together, and add the folder again.',
    );
  }
  return weights;
}

async function openFiles(
  source: CheckpointSource,
  paths: readonly string[],
  options: OpenOptions | undefined,
): Promise<CheckpointTensors> {
  const files = [];
  for (const path of paths) files.push(await openFile(source, path, options));
  return checkpointTensors(source.name, files);
}

async function openFile(
  source: CheckpointSource,
  path: string,
  options: OpenOptions | undefined,
): Promise<{ blob: ByteSource; header: SafetensorsHeader }> {
  const blob = await openRequired(source, path, options);
  const header = await readSafetensorsHeader(blob, fileLabel(source, path));
  if (isSparseHeader(header)) throw loneSparse(header.fileName);
  return { blob, header };
}

function loneSparse(fileName: string): PeruError {
  return new PeruError(
    'unsupported',
    `${fileName} is a sparse vector that Peru wrote, no model of its own: its values are added to a merged model.`,
    'Add the whole folder of the export, its files named as they were written: TASK.sparse.safetensors beside merged.safetensors.',
  );
}

/** Two nulls where there is no config.json; `broken` says why one can not be read. */
export interface ReadConfig {
  readonly config: Readonly<Record<string, unknown>> | null;
  readonly broken: string | null;
}

/** @returns null without one, or where it is broken: merging does without */
export async function readConfig(
  repo: RepoSource,
  options?: OpenOptions,
): Promise<ReadConfig['config']> {
  return (await tryConfig(repo, options)).config;
}

/** The same, for telling the visitor of a broken one. */
export async function tryConfig(repo: RepoSource, options?: OpenOptions): Promise<ReadConfig> {
  const blob = await repo.open(CONFIG_FILE, options);
  if (blob === null) return { config: null, broken: null };
  try {
    const label = fileLabel(repo, CONFIG_FILE);
    return { config: await readJsonObject(blob, label, JSON_CAPS.config), broken: null };
  } catch (error) {
    if (!(error instanceof PeruError && error.kind === 'parse')) throw error;
    return { config: null, broken: error.message };
  }
}

function missingShards(source: CheckpointSource, missing: readonly string[]): PeruError {
  return new PeruError(
    'source',
    `${source.name} has no file ${listFew(missing)}: its index names ${missing.length === 1 ? 'it' : 'them'}.`,
    source.ifMissing ??
      'Add the whole folder, with all shards of one save; download those that are missing again.',
  );
}

/** What messages call a file of a repo. */
export function fileLabel(repo: RepoSource, path: string): string {
  return joinPath(repo.folder, path);
}

/** Joins a folder, which may be empty, and a path inside it. */
export function joinPath(folder: string, path: string): string {
  return folder === '' ? path : `${folder}/${path}`;
}
