/**
 * Which files of a listing are models, the same for dropped folders and repos of the Hub. Nothing is
 * read: only names decide, as they do for transformers, PEFT, diffusers and sentence-transformers.
 */
import { adapterFormatOf, hasAdapterConfig } from '@/formats/adapter-formats';
import { type AdapterFormat } from '@/formats/lora/lora-adapter';
import { CONFIG_FILE } from '@/formats/checkpoint/checkpoint-source';
import { type LooseShards, weightFiles } from './weight-files';

/** Names of the files of each folder; the key of those without a folder is empty. */
export type Folders = ReadonlyMap<string, Names>;

type Names = Pick<ReadonlyMap<string, unknown>, 'has' | 'keys'>;

/** A checkpoint or an adapter, by where it lies. */
export type FoundModel = FoundCheckpoint | FoundAdapter;

export interface FoundAdapter {
  readonly kind: 'adapter';
  /** Empty where there is none. */
  readonly folder: string;
  readonly weightsPath: string;
  readonly format: AdapterFormat;
}

export interface FoundCheckpoint {
  readonly kind: 'checkpoint';
  /** Empty where there is none. */
  readonly folder: string;
  /** Name inside the folder: a safetensors file, the index of shards, or the first of `shards`. */
  readonly weightsPath: string;
  /** All of them, in order, where no index names them. */
  readonly shards?: readonly string[];
}

/** Models of one folder of which only one can be meant. */
export interface Alternatives {
  /** Steps of one training that has no final model, or the models of a diffusers pipeline. */
  readonly kind: 'steps' | 'pipeline';
  readonly folder: string;
  readonly models: readonly FoundModel[];
}

export interface FoundModels {
  readonly models: readonly FoundModel[];
  readonly alternatives: readonly Alternatives[];
  /** Folders of models that belong to another one: steps of its training, or modules of it. */
  readonly parts: readonly string[];
  /** Whether a folder, of a model or not, belongs to the model of a folder around it. */
  readonly isPart: (folder: string) => boolean;
  /** Shards that no index names and that are not one save. */
  readonly loose: readonly (LooseShards & { readonly folder: string })[];
}

const MODULES_FILE = 'modules.json';
const PIPELINE_FILE = 'model_index.json';
/** What trainers save on the way: transformers, accelerate, DeepSpeed, verl, Lightning, Megatron. */
const STEP =
  /^(?:(?:checkpoint|ckpt|step|epoch|iter|global_step)[-_=]\d+(?:-step=\d+)?|global_step\d+|(?:last|best|latest)[-_]checkpoint|checkpoint[-_](?:last|best|latest))(?:[-_](?:hf|merged))?$/i;
/** A folder that holds nothing but steps. */
const STEPS = /^(?:checkpoints?|ckpts?|steps)$/i;
const FINAL = /^final/i;
/** Folders of sentence-transformers: `2_Dense`, `query_0_Transformer`; the first is the model. */
const MODULE = /^(?:[a-z]+_)?\d+_\w+$/i;
const FIRST_MODULE = /^(?:[a-z]+_)?0_/i;
/** Folders of diffusers, which say what they are also where the file that lists them is not there. */
const COMPONENT =
  /^(?:unet|vae|transformer|prior|controlnet|vocoder|image_encoder|safety_checker|text_encoder)(?:_\d)?$/;
/** Copies of the model in other formats, which repos keep inside its folder. */
const OTHER_FORMAT = /^(?:original|onnx|openvino|gguf|mlx|metal|coreml|tflite)$/i;

/**
 * @param isRepo whether a folder's files are one model's: else each may be a model of its own
 */
export function findModels(folders: Folders, isRepo: (folder: string) => boolean): FoundModels {
  const read = [...folders].map(([folder, names]) => modelsOf(folder, names, isRepo(folder)));
  const all = read.flatMap(({ models }) => models);
  const places = new Set(all.map(({ folder }) => folder));
  const isPart = (folder: string): boolean => belongsToOuter(folder, { places, folders, isRepo });
  const models = all.filter(({ folder }) => !isPart(folder));
  const kept = new Set(models.map(({ folder }) => folder));
  return {
    models,
    alternatives: [...stepsWithoutEnd(models), ...pipelines(models, folders)],
    parts: [...places].filter((folder) => !kept.has(folder)),
    isPart,
    loose: read.flatMap(({ loose }) => loose).filter(({ folder }) => !isPart(folder)),
  };
}

/** Files by folder and name; hidden ones (.git, .cache, ._resource forks) are left out. */
export function byFolder<Entry>(
  entries: Iterable<readonly [path: string, entry: Entry]>,
): Map<string, Map<string, Entry>> {
  const folders = new Map<string, Map<string, Entry>>();
  for (const [path, entry] of entries) {
    if (/(?:^|\/)\./.test(path)) continue;
    const [folder, name] = [folderOf(path), path.slice(path.lastIndexOf('/') + 1)];
    const names = folders.get(folder) ?? new Map<string, Entry>();
    folders.set(folder, names.set(name, entry));
  }
  return folders;
}

/** The folder that a path lies in. */
export function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

/** Those of a kind. */
export function ofKind<Kind extends FoundModel['kind']>(
  models: readonly FoundModel[],
  kind: Kind,
): Extract<FoundModel, { kind: Kind }>[] {
  return models.filter(
    (model): model is Extract<FoundModel, { kind: Kind }> => model.kind === kind,
  );
}

/** Whether a folder holds what a trainer saved on the way. */
export function isStep(folder: string): boolean {
  return STEP.test(lastPart(folder));
}

/** Whether a folder holds the first module of a sentence encoder, which is the model itself. */
export function isFirstModule(folder: string, folders: Folders): boolean {
  return FIRST_MODULE.test(lastPart(folder)) && has(folders, folderOf(folder), MODULES_FILE);
}

function modelsOf(
  folder: string,
  names: Names,
  isRepo: boolean,
): Pick<FoundModels, 'models' | 'loose'> {
  const has = (name: string): boolean => names.has(name);
  const format = adapterFormatOf(has);
  const isOne = isRepo || (hasAdapterConfig(has) && folder !== '');
  const found = weightFiles([...names.keys()], isOne);
  // Heads lie beside adapters, and no base but one that is saved as such.
  const weights =
    format !== null && folder !== '' ? found.weights.filter(({ isMain }) => isMain) : found.weights;
  const adapters: FoundModel[] =
    format === null ? [] : [{ kind: 'adapter', folder, weightsPath: format.files.weights, format }];
  const checkpoints = weights.map(({ weightsPath, shards }): FoundModel => {
    const model: FoundCheckpoint = { kind: 'checkpoint', folder, weightsPath };
    return shards === undefined ? model : { ...model, shards };
  });
  const models = [...checkpoints, ...adapters];
  return { models, loose: found.loose.map((shards) => ({ ...shards, folder })) };
}

function belongsToOuter(
  folder: string,
  {
    places,
    folders,
    isRepo,
  }: {
    readonly places: ReadonlySet<string>;
    readonly folders: Folders;
    readonly isRepo: (folder: string) => boolean;
  },
): boolean {
  return outerFolders(folder).some(({ outer, inner }) => {
    const [part] = inner.split('/');
    // Files that were added without a folder are no training's.
    if (STEP.test(part!)) return (outer !== '' || isRepo('')) && hasEnd(outer, places);
    if (has(folders, outer, MODULES_FILE) && MODULE.test(part!)) {
      return places.has(outer) || !FIRST_MODULE.test(part!);
    }
    return OTHER_FORMAT.test(part!) && places.has(outer) && has(folders, outer, CONFIG_FILE);
  });
}

/** Whether a training in this folder has a model at its end. */
function hasEnd(run: string, places: ReadonlySet<string>): boolean {
  if (places.has(run)) return true;
  if (STEPS.test(lastPart(run)) && places.has(folderOf(run))) return true;
  return [...places].some((place) => folderOf(place) === run && FINAL.test(lastPart(place)));
}

/** Steps by their training; those that were added by themselves are models of their own. */
function stepsWithoutEnd(models: readonly FoundModel[]): Alternatives[] {
  const found = alternatives('steps', models, ({ folder }) => stepAround(folder)?.outer ?? null);
  return found.filter((one) => {
    return new Set(one.models.map(({ folder }) => stepAround(folder)!.step)).size > 1;
  });
}

/** The step that a model is, or lies in, as what a trainer saves for other programs does. */
function stepAround(folder: string): { readonly outer: string; readonly step: string } | null {
  for (const { outer, inner } of outerFolders(folder)) {
    const [step] = inner.split('/');
    if (outer !== '' && STEP.test(step!)) return { outer, step: step! };
  }
  return null;
}

/** Models of a diffusers pipeline, and towers of an encoder that has one for queries. */
function pipelines(models: readonly FoundModel[], folders: Folders): Alternatives[] {
  return alternatives('pipeline', models, ({ folder }) => {
    const outer = folderOf(folder);
    const listed = [folder, outer].find((place) => has(folders, place, PIPELINE_FILE));
    if (listed !== undefined) return listed;
    const isInside = isFirstModule(folder, folders) || COMPONENT.test(lastPart(folder));
    return isInside && outer !== '' ? outer : null;
  });
}

/** @param folderOfAll where a model is one of several; null where it is not */
function alternatives(
  kind: Alternatives['kind'],
  models: readonly FoundModel[],
  folderOfAll: (model: FoundModel) => string | null,
): Alternatives[] {
  const groups = new Map<string, FoundModel[]>();
  for (const model of models) {
    const folder = folderOfAll(model);
    if (folder !== null) groups.set(folder, [...(groups.get(folder) ?? []), model]);
  }
  return [...groups]
    .filter(([, group]) => group.length > 1)
    .map(([folder, group]) => ({ kind, folder, models: group }));
}

/** Every folder around one, and the rest of the path inside it. */
function outerFolders(folder: string): { readonly outer: string; readonly inner: string }[] {
  const parts = folder === '' ? [] : folder.split('/');
  return parts.map((_, i) => {
    return { outer: parts.slice(0, i).join('/'), inner: parts.slice(i).join('/') };
  });
}

function has(folders: Folders, folder: string, name: string): boolean {
  return folders.get(folder)?.has(name) ?? false;
}

function lastPart(folder: string): string {
  return folder.slice(folder.lastIndexOf('/') + 1);
}
