/**
 * Groups files from the visitor's disk into checkpoints. A folder laid out as a Hub repo is one
 * checkpoint; loose .safetensors files are one each. Nothing is read here: only names decide.
 */
import { PeruError } from '@/tensor/errors';
import {
  type CheckpointSource,
  joinPath,
  SHARD_INDEX_FILE,
  WEIGHTS_FILE,
} from './checkpoint-source';

export interface LocalFile {
  /** Path as dropped, folders separated by `/`; just the name for a loose file. */
  readonly path: string;
  readonly file: Blob;
}

export interface LocalGroup {
  readonly checkpoints: readonly CheckpointSource[];
  /** Paths that belong to no checkpoint. */
  readonly ignored: readonly string[];
}

const PICKLE = /\.(?:bin|pt|pth|ckpt|pkl|pickle)$/i;
const OTHER_WEIGHTS = /\.(?:gguf|ggml|h5|msgpack|onnx|npz)$/i;
const ADAPTER_FILE = 'adapter_model.safetensors';
const ADAPTER_CONFIG = 'adapter_config.json';
const INDEX = '.safetensors.index.json';

/**
 * @throws PeruError `unsupported` when a folder's only weights are pickles, other formats or an
 *   adapter; `source` when a folder has a config but no weights, or nothing is a checkpoint
 */
export function groupLocalFiles(files: readonly LocalFile[]): LocalGroup {
  const folders = byFolder(files);
  const weights = [...folders].flatMap(([folder, entries]) =>
    weightFiles(folder, entries).map((file) => ({ folder, file })),
  );
  for (const [folder, entries] of folders) {
    // Folders inside a checkpoint's (onnx/, runs/) hold by-products, not checkpoints.
    // A repo's own pickle is a copy of its safetensors; among loose files it was meant.
    const belongs = weights.some(
      (found) =>
        isInside(folder, found.folder) && (folder !== found.folder || entries.has('config.json')),
    );
    if (!belongs) refuseOtherWeights(folder, [...entries.keys()].sort());
  }
  if (weights.length === 0) throw nothingFound(files);
  const names = shortNames(weights.map(({ folder, file }) => displayPath(folder, file, weights)));
  const checkpoints = weights.map(({ folder, file }, i) =>
    localCheckpoint({ name: names[i]!, folder, weightsPath: file }, folders.get(folder)!),
  );
  return { checkpoints, ignored: ignoredPaths(files, folders, weights) };
}

/** Files by folder and name; hidden ones (.git, .cache, ._resource forks) are left out. */
function byFolder(files: readonly LocalFile[]): ReadonlyMap<string, Map<string, LocalFile>> {
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

/** Names of the weight files (or shard indexes) of a folder, one a checkpoint. */
function weightFiles(folder: string, entries: ReadonlyMap<string, LocalFile>): string[] {
  const names = [...entries.keys()].sort();
  const index = names.find((name) => name.endsWith(INDEX));
  if (entries.has(ADAPTER_CONFIG) || (entries.has(ADAPTER_FILE) && !entries.has(WEIGHTS_FILE))) {
    throw adapterRefusal(folder);
  }
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

function adapterRefusal(folder: string): PeruError {
  return new PeruError(
    'unsupported',
    `${joinPath(folder, ADAPTER_FILE)} is a LoRA adapter; Peru merges full checkpoints.`,
    'Merge the adapter into its base first (merge_and_unload in PEFT), save that, and add the result.',
  );
}

function nothingFound(files: readonly LocalFile[]): PeruError {
  const some = files.slice(0, 3).map(({ path }) => path);
  const listed =
    files.length > 3 ? `${some.join(', ')} and ${files.length - 3} more` : some.join(', ');
  return new PeruError(
    'source',
    files.length === 0 ? 'No files were added.' : `No checkpoint among the files added: ${listed}.`,
    'Add .safetensors files, or folders saved with save_pretrained: the base and each fine-tuned model.',
  );
}

function localCheckpoint(
  facts: { readonly name: string; readonly folder: string; readonly weightsPath: string },
  entries: ReadonlyMap<string, LocalFile>,
): CheckpointSource {
  const { name, folder, weightsPath } = facts;
  return {
    id: joinPath(folder, weightsPath),
    name,
    folder,
    weightsPath,
    open: (path) => Promise.resolve(entries.get(path)?.file ?? null),
  };
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
  folders: ReadonlyMap<string, ReadonlyMap<string, LocalFile>>,
  weights: readonly { readonly folder: string }[],
): string[] {
  const used = new Set(weights.flatMap(({ folder }) => [...folders.get(folder)!.values()]));
  return files.filter((file) => !used.has(file)).map(({ path }) => path);
}
