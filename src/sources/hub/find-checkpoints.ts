/** Which files of a repo are checkpoints and adapters. Nothing is read: only names decide. */
import { ADAPTER_CONFIG, ADAPTER_FILE } from '../adapter-source';
import { SHARD_INDEX_FILE, WEIGHTS_FILE } from '../checkpoint-source';
import { type ExportNames, exportNames, RECIPE_FILE } from '../peru-export';
import { pathBelow } from './repo-ref';

/** A checkpoint or an adapter, by where it lies in the repo. */
export interface FoundModel {
  readonly kind: 'checkpoint' | 'adapter';
  /** Empty for the repo's own folder. */
  readonly folder: string;
  /** Name inside the folder: a safetensors file or the index of its shards. */
  readonly weightsPath: string;
}

export interface FoundModels {
  readonly models: readonly FoundModel[];
  /** Paths of weights in formats that Peru does not read. */
  readonly pickles: readonly string[];
  readonly otherWeights: readonly string[];
}

const INDEX = '.safetensors.index.json';
const SHARD = /-\d{5}-of-\d{5}\.safetensors$/;
const PICKLE = /\.(?:bin|pt|pth|ckpt|pkl|pickle)$/i;
const OTHER_WEIGHTS = /\.(?:gguf|ggml|h5|msgpack|onnx|npz)$/i;
/** Files of a trainer, not of a model. */
const NOT_WEIGHTS = /^(?:training_args|optimizer|scheduler|rng_state.*|scaler)\.(?:bin|pt|pth)$/;
/** What a trainer saves on the way. */
const STEP_FOLDER = /(?:^|\/)checkpoint-\d+$/;

/**
 * @param paths every file of the repo
 * @param within folder or .safetensors file that is meant; empty for the whole repo
 */
export function findCheckpoints(paths: readonly string[], within: string): FoundModels {
  const inside = paths.filter((path) => isWithin(path, within));
  const folders = new Map<string, Set<string>>();
  for (const path of inside) {
    if (/(?:^|\/)\./.test(path)) continue;
    const slash = path.lastIndexOf('/');
    const folder = path.slice(0, Math.max(0, slash));
    const names = folders.get(folder) ?? new Set();
    folders.set(folder, names.add(path.slice(slash + 1)));
  }
  const models = [...folders].flatMap(([folder, names]) => modelsOf(folder, names));
  return {
    models: within.endsWith('.safetensors') ? models : withoutSteps(models, within),
    pickles: inside.filter((path) => PICKLE.test(path) && !NOT_WEIGHTS.test(nameOf(path))),
    otherWeights: inside.filter((path) => OTHER_WEIGHTS.test(path)),
  };
}

/** What a folder of a repo holds that Peru exported. */
export interface FoundExport {
  /** Of the merged model and the sparse vectors; null for an export of adapters. */
  readonly names: ExportNames | null;
  /** Folders of adapters, each right below this one. */
  readonly adapters: readonly string[];
}

/**
 * Whether a folder looks like an export of Peru's: sparse vectors, or adapters beside a recipe.
 *
 * @param paths every file of the repo
 * @returns null where it does not
 */
export function findExport(paths: readonly string[], within: string): FoundExport | null {
  const start = within === '' ? '' : `${within}/`;
  const below = paths
    .filter((path) => path.startsWith(start))
    .map((path) => path.slice(start.length));
  const names = exportNames(below.filter((path) => !path.includes('/')));
  const has = new Set(below);
  const folders = new Set(below.map((path) => path.slice(0, Math.max(0, path.indexOf('/')))));
  const adapters = [...folders].filter((folder) => {
    return has.has(pathBelow(folder, ADAPTER_FILE)) && has.has(pathBelow(folder, ADAPTER_CONFIG));
  });
  if (names !== null) return { names, adapters: [] };
  if (!has.has(RECIPE_FILE) || adapters.length === 0) return null;
  return { names, adapters: adapters.map((folder) => pathBelow(within, folder)).sort() };
}

/** Those of the folder that is meant, where it has any; else those of the folders below. */
export function topModels(models: readonly FoundModel[], within: string): readonly FoundModel[] {
  const top = models.filter(({ folder, weightsPath }) => {
    return folder === within || pathBelow(folder, weightsPath) === within;
  });
  return top.length > 0 ? top : models;
}

function isWithin(path: string, within: string): boolean {
  return within === '' || path === within || path.startsWith(`${within}/`);
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function modelsOf(folder: string, names: ReadonlySet<string>): FoundModel[] {
  const checkpoint = (weightsPath: string): FoundModel => {
    return { kind: 'checkpoint', folder, weightsPath };
  };
  if (names.has(ADAPTER_FILE) && names.has(ADAPTER_CONFIG)) {
    return [{ kind: 'adapter', folder, weightsPath: ADAPTER_FILE }];
  }
  if (names.has(SHARD_INDEX_FILE)) return [checkpoint(SHARD_INDEX_FILE)];
  if (names.has(WEIGHTS_FILE)) return [checkpoint(WEIGHTS_FILE)];
  const sorted = [...names].sort();
  const index = sorted.filter((name) => name.endsWith(INDEX));
  if (index.length > 0) return index.map(checkpoint);
  return sorted
    .filter((name) => name.endsWith('.safetensors') && !SHARD.test(name) && name !== ADAPTER_FILE)
    .map(checkpoint);
}

/** A trainer's steps are left out where there is anything else. */
function withoutSteps(models: readonly FoundModel[], within: string): readonly FoundModel[] {
  const ends = models.filter(({ folder }) => folder === within || !STEP_FOLDER.test(folder));
  return ends.length > 0 ? ends : models;
}
