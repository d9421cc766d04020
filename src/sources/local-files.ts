/**
 * Groups files from the visitor's disk into checkpoints and adapters. A folder laid out as a Hub
 * repo is one checkpoint, one saved by PEFT one adapter, one with sparse vectors an export of
 * Peru's; loose .safetensors files are a checkpoint each. Nothing is read here: only names decide.
 */
import { PeruError } from '@/tensor/errors';
import {
  ADAPTER_CONFIG,
  ADAPTER_FILE,
  type AdapterSource,
  isAdapterFolder,
} from './adapter-source';
import {
  type CheckpointSource,
  joinPath,
  type RepoSource,
  SHARD_INDEX_FILE,
  WEIGHTS_FILE,
} from './checkpoint-source';
import { type ExportFolder, exportNames, RECIPE_FILE } from './peru-export';

export interface LocalFile {
  /** Path as dropped, folders separated by `/`; just the name for a loose file. */
  readonly path: string;
  readonly file: Blob;
}

export interface LocalGroup {
  readonly checkpoints: readonly CheckpointSource[];
  readonly adapters: readonly AdapterSource[];
  /** Folders of full fine-tunes that Peru exported; their files are none of the checkpoints. */
  readonly exports: readonly ExportFolder[];
  /** Folders with a recipe.json, which may be anybody's. */
  readonly recipes: readonly RepoSource[];
  /** Paths that belong to no checkpoint and no adapter. */
  readonly ignored: readonly string[];
}

const PICKLE = /\.(?:bin|pt|pth|ckpt|pkl|pickle)$/i;
const OTHER_WEIGHTS = /\.(?:gguf|ggml|h5|msgpack|onnx|npz)$/i;
/** What a trainer saves on the way, inside the folder of the adapter it ends with. */
const STEP_FOLDER = /(?:^|\/)checkpoint-\d+(?:\/|$)/;
const INDEX = '.safetensors.index.json';

/**
 * @throws PeruError `unsupported` when a folder's only weights are pickles or other formats;
 *   `source` when a folder has a config but no weights, or the reverse for an adapter, or nothing
 *   is a checkpoint or an adapter
 */
export function groupLocalFiles(files: readonly LocalFile[]): LocalGroup {
  const folders = byFolder(files);
  const adapterFolders = foldersOfAdapters(folders);
  const exports = localExports(folders);
  const noCheckpoints = [...adapterFolders.steps, ...exports.map(({ repo }) => repo.folder)];
  const weights = [...folders].flatMap(([folder, entries]) =>
    isInsideAny(folder, noCheckpoints)
      ? []
      : weightFiles(entries).map((file) => ({ folder, file })),
  );
  const owners = [
    ...new Set(weights.map(({ folder }) => folder)),
    ...adapterFolders.all,
    ...exports.map(({ repo }) => repo.folder),
  ];
  for (const [folder, entries] of folders) {
    // Folders inside a checkpoint's (onnx/, runs/) hold by-products, not checkpoints.
    // A repo's own pickle is a copy of its safetensors; among loose files it was meant.
    const isRepo = entries.has('config.json') || entries.has(ADAPTER_CONFIG);
    const belongs = owners.some((owner) => isInside(folder, owner) && (folder !== owner || isRepo));
    if (!belongs) refuseOtherWeights(folder, [...entries.keys()].sort());
  }
  if (owners.length === 0) throw nothingFound(files);
  return {
    checkpoints: localCheckpoints(folders, weights),
    adapters: localAdapters(folders, adapterFolders.all),
    exports,
    recipes: foldersWith(folders, RECIPE_FILE),
    ignored: ignoredPaths(files, folders, owners),
  };
}

type Folders = ReadonlyMap<string, ReadonlyMap<string, LocalFile>>;

/**
 * Folders of adapters, and the folders of a trainer's steps inside them.
 *
 * @throws PeruError when an adapter lacks its configuration or its weights
 */
function foldersOfAdapters(folders: Folders): { readonly all: string[]; readonly steps: string[] } {
  const found = [...folders.keys()].filter((folder) => {
    const names = folders.get(folder)!;
    return isAdapterFolder((name) => names.has(name));
  });
  const isStep = (folder: string): boolean =>
    STEP_FOLDER.test(folder) &&
    found.some((outer) => outer !== folder && isInside(folder, outer) && !STEP_FOLDER.test(outer));
  const all = found.filter((folder) => !isStep(folder));
  for (const folder of all) refuseHalfAdapter(folder, folders.get(folder)!);
  return { all, steps: found.filter(isStep) };
}

function localCheckpoints(
  folders: Folders,
  weights: readonly { readonly folder: string; readonly file: string }[],
): CheckpointSource[] {
  const names = shortNames(weights.map(({ folder, file }) => displayPath(folder, file, weights)));
  return weights.map(({ folder, file }, i) => {
    const repo = localRepo(joinPath(folder, file), names[i]!, folder, folders.get(folder)!);
    return { ...repo, weightsPath: file };
  });
}

function localAdapters(folders: Folders, adapterFolders: readonly string[]): AdapterSource[] {
  const names = shortNames(adapterFolders.map((folder) => (folder === '' ? 'adapter' : folder)));
  return adapterFolders.map((folder, i) =>
    localRepo(joinPath(folder, ADAPTER_FILE), names[i]!, folder, folders.get(folder)!),
  );
}

function localExports(folders: Folders): ExportFolder[] {
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

/** Files by folder and name; hidden ones (.git, .cache, ._resource forks) are left out. */
function byFolder(files: readonly LocalFile[]): Folders {
  const folders = new Map<string, Map<string, LocalFile>>();
  for (const file of files) {
    const path = file.path.replace(/^(?:\.?\/)+/, '');
    if (/(?:^|\/)\./.test(path)) continue;
    const slash = path.lastIndexOf('/');
    const folder = path.slice(0, Math.max(0, slash));
    const entries = folders.get(folder) ?? new Map<string, LocalFile>();
    folders.set(folder, entries.set(path.slice(slash + 1), file));
  }
  return folders;
}

function isInside(folder: string, outer: string): boolean {
  return folder === outer || (outer !== '' && folder.startsWith(`${outer}/`));
}

function isInsideAny(folder: string, outers: readonly string[]): boolean {
  return outers.some((outer) => isInside(folder, outer));
}

/** Names of the weight files (or shard indexes) of a folder, one a checkpoint. */
function weightFiles(entries: ReadonlyMap<string, LocalFile>): string[] {
  const names = [...entries.keys()].filter((name) => name !== ADAPTER_FILE).sort();
  const index = names.find((name) => name.endsWith(INDEX));
  if (index !== undefined) return [entries.has(SHARD_INDEX_FILE) ? SHARD_INDEX_FILE : index];
  if (entries.has(WEIGHTS_FILE) && entries.has('config.json')) return [WEIGHTS_FILE];
  return names.filter((name) => name.toLowerCase().endsWith('.safetensors'));
}

/** A folder without safetensors is fine unless it was meant as a checkpoint. */
function refuseOtherWeights(folder: string, names: readonly string[]): void {
  const pickle = names.find((name) => PICKLE.test(name));
  if (pickle !== undefined) {
    throw new PeruError(
      'unsupported',
      `${joinPath(folder, pickle)} is a PyTorch pickle, which can run code when it is read: Peru reads safetensors only.`,
      'Convert it: model.save_pretrained(folder, safe_serialization=True) in transformers, or safetensors.torch.save_file(torch.load(file, weights_only=True), "model.safetensors").',
    );
  }
  const other = names.find((name) => OTHER_WEIGHTS.test(name));
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

/** @throws PeruError when one of an adapter's two files is missing, or its weights are a pickle */
function refuseHalfAdapter(folder: string, entries: ReadonlyMap<string, LocalFile>): void {
  if (entries.has(ADAPTER_CONFIG) && entries.has(ADAPTER_FILE)) return;
  const where = folder === '' ? 'the files added' : `the folder ${folder}`;
  if (entries.has(ADAPTER_FILE)) {
    throw new PeruError(
      'source',
      `${joinPath(folder, ADAPTER_FILE)} came without its ${ADAPTER_CONFIG}, which says how its factors are scaled.`,
      `Add the whole folder that PEFT saved, with ${ADAPTER_CONFIG}.`,
    );
  }
  const pickle = [...entries.keys()].find(
    (name) => name.startsWith('adapter_') && PICKLE.test(name),
  );
  if (pickle !== undefined) {
    throw new PeruError(
      'unsupported',
      `${joinPath(folder, pickle)} is a PyTorch pickle, which can run code when it is read: Peru reads ${ADAPTER_FILE} only.`,
      `Convert it: load the adapter with PeftModel.from_pretrained and save_pretrained(folder), or safetensors.torch.save_file(torch.load(file, weights_only=True), "${ADAPTER_FILE}").`,
    );
  }
  throw new PeruError(
    'source',
    `There is an ${ADAPTER_CONFIG} but no ${ADAPTER_FILE} in ${where}.`,
    'Add the whole folder that PEFT saved, with its weights.',
  );
}

function nothingFound(files: readonly LocalFile[]): PeruError {
  const some = files.slice(0, 3).map(({ path }) => path);
  const listed =
    files.length > 3 ? `${some.join(', ')} and ${files.length - 3} more` : some.join(', ');
  return new PeruError(
    'source',
    files.length === 0
      ? 'No files were added.'
      : `No checkpoint or adapter among the files added: ${listed}.`,
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

/** A folder with one checkpoint is known by its own name, several in one by their files'. */
function displayPath(
  folder: string,
  file: string,
  all: readonly { readonly folder: string }[],
): string {
  const alone = all.filter((other) => other.folder === folder).length === 1;
  if (alone && folder !== '') return folder;
  return joinPath(folder, file.replace(/\.safetensors(?:\.index\.json)?$/i, ''));
}

/** The shortest tails of the paths that tell them apart, at least their last part. */
function shortNames(paths: readonly string[]): string[] {
  const parts = paths.map((path) => path.split('/'));
  const tail = (path: readonly string[], length: number): string => path.slice(-length).join('/');
  return parts.map((path, i) => {
    let length = 1;
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
