/** Which files of a repo are checkpoints and adapters. Nothing is read: only names decide. */
import { PEFT } from '@/formats/peft/peft-format';
import { looseShards } from '@/formats/folder/model-folder-errors';
import { byFolder, findModels, type FoundModel, isStep } from '@/formats/folder/model-folders';
import { type ExportNames, exportNames, RECIPE_FILE } from '@/formats/checkpoint/peru-export';
import { isOtherFormat } from '@/formats/folder/weight-files';
import { isPickle } from '@/formats/checkpoint/pickles';
import { pathBelow } from './repo-ref';

export type { FoundModel };

export interface FoundModels {
  readonly models: readonly FoundModel[];
  /** Paths of weights in formats that Peru does not read. */
  readonly pickles: readonly string[];
  readonly otherWeights: readonly string[];
}

/**
 * @param paths every file of the repo
 * @param within folder or .safetensors file that is meant; empty for the whole repo
 * @throws PeruError `source` where there is nothing but shards that are not all there
 */
export function findCheckpoints(paths: readonly string[], within: string): FoundModels {
  const inside = paths.filter((path) => isWithin(path, within));
  const folders = byFolder(inside.map((path) => [path, path] as const));
  const isFile = within.endsWith('.safetensors');
  const found = findModels(folders, () => !isFile);
  // One reference names one model: of a folder with an adapter, that is the adapter.
  const adapted = new Set(
    found.models.flatMap(({ kind, folder }) => (kind === 'adapter' ? folder : [])),
  );
  const models = found.models.filter(
    ({ kind, folder }) => kind === 'adapter' || !adapted.has(folder),
  );
  const [loose] = found.loose;
  if (models.length === 0 && loose !== undefined && !isFile) throw looseShards(loose);
  return {
    models: withoutSteps(models, within),
    pickles: inside.filter((path) => isPickle(nameOf(path))),
    otherWeights: inside.filter(isOtherFormat),
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
  const adapters = [...folders].filter((folder) =>
    PEFT.recognises((name) => has.has(pathBelow(folder, name))),
  );
  if (names !== null) return { names, adapters: [] };
  if (!has.has(RECIPE_FILE) || adapters.length === 0) return null;
  return { names, adapters: adapters.map((folder) => pathBelow(within, folder)).sort() };
}

/** Those of the folder that is meant, where it has any; else those of the folders below. */
export function topModels<Model extends Pick<FoundModel, 'folder' | 'weightsPath'>>(
  models: readonly Model[],
  within: string,
): readonly Model[] {
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

/** A trainer's steps are left out where there is anything else. */
function withoutSteps(models: readonly FoundModel[], within: string): readonly FoundModel[] {
  const ends = models.filter(({ folder }) => folder === within || !isStep(folder));
  return ends.length > 0 ? ends : models;
}
