/**
 * Groups files from the visitor's disk into checkpoints and adapters. A folder laid out as a Hub
 * repo is one checkpoint, one saved by PEFT or mlx-lm one adapter, one with sparse vectors an export of
 * Peru's; loose .safetensors files are a checkpoint each. Nothing is read here: only names decide.
 */
import { type ByteSource } from '@/tensor/byte-source';
import { PeruError } from '@/core/errors';
import { listFew } from '@/core/list-names';
import { hasAdapterConfig, refuseHalfAdapter } from '@/formats/adapter-formats';
import { type AdapterSource } from '@/formats/lora/lora-adapter';
import {
  type CheckpointSource,
  CONFIG_FILE,
  joinPath,
  type RepoSource,
} from '@/formats/checkpoint/checkpoint-source';
import {
  byFolder,
  findModels,
  folderOf,
  type FoundAdapter,
  type FoundCheckpoint,
  type FoundModel,
  isFirstModule,
  isStep,
  ofKind,
} from '@/formats/folder/model-folders';
import { alternativesFound, looseShards } from '@/formats/folder/model-folder-errors';
import { type ExportSource, exportNames, RECIPE_FILE } from '@/formats/checkpoint/peru-export';
import { isCopy, isOtherFormat } from '@/formats/folder/weight-files';
import { isPickle } from '@/formats/checkpoint/pickles';

export interface LocalFile {
  /** Path as dropped, folders separated by `/`; just the name for a loose file. */
  readonly path: string;
  readonly file: ByteSource;
}

export interface LocalGroup {
  readonly checkpoints: readonly CheckpointSource[];
  readonly adapters: readonly AdapterSource[];
  /** Folders of full fine-tunes that Peru exported; their files are none of the checkpoints. */
  readonly exports: readonly ExportSource[];
  /** Folders with a recipe.json, which may be anybody's. */
  readonly recipes: readonly RepoSource[];
  /** Folders of models that belong to another one: steps of its training, or modules of it. */
  readonly parts: readonly string[];
  /** Paths that belong to no checkpoint and no adapter. */
  readonly ignored: readonly string[];
}

/**
 * @throws PeruError `unsupported` when a folder's only weights are pickles or other formats;
 *   `source` when a folder has a config but no weights, or the reverse for an adapter, when shards
 *   are missing, when only one of several models in a folder can be meant, or nothing is a
 *   checkpoint or an adapter
 */
export function groupLocalFiles(files: readonly LocalFile[]): LocalGroup {
  const folders = byFolder(
    files.map((file) => [file.path.replace(/^(?:\.?\/)+/, ''), file] as const),
  );
  const exports = localExports(folders);
  const places = exports.map(({ repo }) => repo.folder);
  const open = new Map([...folders].filter(([folder]) => !isInsideAny(folder, places)));
  const found = findModels(open, (folder) => folders.get(folder)?.has(CONFIG_FILE) ?? false);
  for (const folder of open.keys()) {
    if (!found.isPart(folder)) refuseHalfAdapter(folder, [...folders.get(folder)!.keys()]);
  }
  const [loose] = found.loose;
  if (loose !== undefined) throw looseShards(loose);
  const [alternatives] = found.alternatives;
  if (alternatives !== undefined) throw alternativesFound(alternatives);
  const modelled = found.models.map(({ folder }) => folder);
  const encoders = modelled.filter((folder) => isFirstModule(folder, folders)).map(folderOf);
  const owners = [...new Set([...modelled, ...encoders]), ...places];
  for (const [folder, entries] of folders) {
    // Folders inside a checkpoint's (onnx/, runs/) hold by-products, not checkpoints.
    // A repo's own pickle is a copy of its safetensors; among loose files it was meant.
    const isRepo = entries.has(CONFIG_FILE) || hasAdapterConfig((name) => entries.has(name));
    const belongs = owners.some((owner) => isInside(folder, owner) && (folder !== owner || isRepo));
    if (!belongs) refuseOtherWeights(folder, [...entries.keys()].sort());
  }
  if (owners.length === 0) throw nothingFound(files);
  return {
    checkpoints: localCheckpoints(folders, ofKind(found.models, 'checkpoint')),
    adapters: localAdapters(folders, ofKind(found.models, 'adapter')),
    exports,
    recipes: foldersWith(folders, RECIPE_FILE),
    parts: found.parts,
    ignored: ignoredPaths(files, folders, owners),
  };
}

type Folders = ReadonlyMap<string, ReadonlyMap<string, LocalFile>>;

function localCheckpoints(
  folders: Folders,
  models: readonly FoundCheckpoint[],
): CheckpointSource[] {
  const names = shortNames(models.map((model) => displayPath(model, models, folders)));
  return models.map(({ folder, weightsPath, shards }, i) => {
    const id = joinPath(folder, weightsPath);
    const repo = localRepo(id, names[i]!, folder, folders.get(folder)!);
    return { ...repo, weightsPath, ...(shards !== undefined && { shards }) };
  });
}

function localAdapters(folders: Folders, models: readonly FoundAdapter[]): AdapterSource[] {
  const names = shortNames(models.map(({ folder }) => (folder === '' ? 'adapter' : folder)));
  return models.map(({ folder, weightsPath, format }, i) => {
    const id = joinPath(folder, weightsPath);
    return { ...localRepo(id, names[i]!, folder, folders.get(folder)!), format };
  });
}

function localExports(folders: Folders): ExportSource[] {
  return [...folders].flatMap(([folder, entries]) => {
    const names = exportNames(entries.keys());
    return names === null ? [] : [{ ...names, repo: folderRepo(folder, entries) }];
  });
}

function foldersWith(folders: Folders, name: string): RepoSource[] {
  return [...folders].flatMap(([folder, entries]) =>
    entries.has(name) ? [folderRepo(folder, entries)] : [],
  );
}

/** A folder by itself, whatever lies in it. */
function folderRepo(folder: string, entries: ReadonlyMap<string, LocalFile>): RepoSource {
  const name = folder === '' ? 'Your files' : folder.slice(folder.lastIndexOf('/') + 1);
  return localRepo(folder, name, folder, entries);
}

function isInside(folder: string, outer: string): boolean {
  return folder === outer || (outer !== '' && folder.startsWith(`${outer}/`));
}

function isInsideAny(folder: string, outers: readonly string[]): boolean {
  return outers.some((outer) => isInside(folder, outer));
}

/** A folder without safetensors is fine unless it was meant as a checkpoint. */
function refuseOtherWeights(folder: string, names: readonly string[]): void {
  const pickle = names.find((name) => isPickle(name) && !isCopy(name, names));
  if (pickle !== undefined) {
    throw new PeruError(
      'unsupported',
      `${joinPath(folder, pickle)} is a PyTorch pickle, which can run code when it is read: Peru reads safetensors only.`,
      'Convert it: model.save_pretrained(folder, safe_serialization=True) in transformers, or safetensors.torch.save_file(torch.load(file, weights_only=True), "model.safetensors").',
    );
  }
  const other = names.find(isOtherFormat);
  if (other !== undefined) {
    throw new PeruError(
      'unsupported',
      `${joinPath(folder, other)} is not a safetensors file: Peru reads safetensors only.`,
      'Add the checkpoint as its training framework saved it, converted with save_pretrained to safetensors.',
    );
  }
  if (names.includes('config.json')) {
    throw new PeruError(
      'source',
      `${folder === '' ? 'A config.json came' : `The folder ${folder} came`} without weights: there is no .safetensors file beside it.`,
      'Add the whole folder, with its model.safetensors.',
    );
  }
}

function nothingFound(files: readonly LocalFile[]): PeruError {
  return new PeruError(
    'source',
    files.length === 0
      ? 'No files were added.'
      : `No checkpoint or adapter among the files added: ${listFew(files.map(({ path }) => path))}.`,
    'Add .safetensors files, or folders saved with save_pretrained: the base and each fine-tuned model or LoRA adapter.',
  );
}

function localRepo(
  id: string,
  name: string,
  folder: string,
  entries: ReadonlyMap<string, LocalFile>,
): RepoSource {
  const paths = [...entries.keys()];
  const open: RepoSource['open'] = (path) => Promise.resolve(entries.get(path)?.file ?? null);
  return { id, name, folder, paths, open };
}

/**
 * A folder with one checkpoint is known by its own name, several in one by their files'; the first
 * module of a sentence encoder by the folder that it is a module of.
 */
function displayPath(
  { folder, weightsPath }: FoundModel,
  all: readonly FoundModel[],
  folders: Folders,
): string {
  if (folder.includes('/') && isFirstModule(folder, folders)) return folderOf(folder);
  const alone = all.filter((other) => other.folder === folder).length === 1;
  if (alone && folder !== '') return folder;
  return joinPath(folder, weightsPath.replace(WEIGHTS_ENDING, ''));
}

const WEIGHTS_ENDING = /(?:[-_]?\d+-of-\d+)?\.safetensors(?:\.index\.json)?$/i;

/** The shortest tails of the paths that tell them apart: a step is no name without its training's. */
function shortNames(paths: readonly string[]): string[] {
  const parts = paths.map((path) => path.split('/'));
  const tail = (path: readonly string[], length: number): string => path.slice(-length).join('/');
  return parts.map((path, i) => {
    let length = isStep(paths[i]!) ? Math.min(2, path.length) : 1;
    const clashes = (other: readonly string[], j: number): boolean =>
      j !== i && tail(other, length) === tail(path, length);
    while (length < path.length && parts.some(clashes)) length += 1;
    return tail(path, length);
  });
}

function ignoredPaths(
  files: readonly LocalFile[],
  folders: Folders,
  owners: readonly string[],
): string[] {
  const used = new Set(owners.flatMap((folder) => [...folders.get(folder)!.values()]));
  return files.filter((file) => !used.has(file)).map(({ path }) => path);
}
