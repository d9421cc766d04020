/** Which of a folder's files are weights, and which of them make up one model. Names decide. */
import { isAdapterWeights } from '@/formats/adapter-formats';
import { isOfTrainer } from '@/formats/checkpoint/pickles';
import { WEIGHTS_FILE } from '@/formats/checkpoint/checkpoint-source';

export interface WeightFile {
  /** A safetensors file, the index of shards, or the first of `shards`. */
  readonly weightsPath: string;
  /** All of them, in order, where no index names them. */
  readonly shards?: readonly string[];
  /** Whether a library opens the folder by it, without being told which file. */
  readonly isMain: boolean;
}

/** Shards that no index names and that are not one save. */
export interface LooseShards {
  readonly present: readonly string[];
  /** Empty where they are of several saves. */
  readonly missing: readonly string[];
}

export interface WeightFiles {
  readonly weights: readonly WeightFile[];
  readonly loose: readonly LooseShards[];
}

const OTHER_WEIGHTS = /\.(?:gguf|ggml|h5|msgpack|onnx|npz)$/i;
const SAFETENSORS = /\.safetensors$/i;
const INDEX = '.safetensors.index.json';
/** Numbers of five digits, but DeepSeek's totals have six, and other programs count without zeros. */
const SHARD = /^(.*?)[-_]?(\d+)-of-(\d+)\.safetensors$/;
/** Names that libraries look for, in this order: transformers, diffusers. */
const MAIN_NAMES = ['model', 'diffusion_pytorch_model'];
/** The weights of the files beside it once more, under the names of Mistral's own code. */
const CONSOLIDATED = /^consolidated[\w.-]*\.safetensors$/;
/** More shards are not looked for one by one; the largest models are saved in some hundreds. */
const MAX_SHARDS = 10_000;

/** Whether a file holds weights in a format that Peru does not read. */
export function isOtherFormat(name: string): boolean {
  return OTHER_WEIGHTS.test(name);
}

/** Whether a pickle is a copy of the safetensors beside it, as repos keep it for older programs. */
export function isCopy(pickle: string, names: readonly string[]): boolean {
  const isModel = /^(?:pytorch_model|consolidated)/.test(pickle);
  return isModel && names.some((name) => name.startsWith('model') && SAFETENSORS.test(name));
}

/**
 * @param isRepo whether the files are one model's; else each may be a model of its own
 */
export function weightFiles(all: readonly string[], isRepo: boolean): WeightFiles {
  const present = new Set(all);
  const isWeight = (name: string): boolean =>
    !isAdapterWeights(name, (other) => present.has(other)) && !isOfTrainer(name);
  const names = all.filter(isWeight).sort();
  const main = isRepo ? mainFile(new Set(names)) : null;
  if (main !== null) return { weights: [asMain(main)], loose: [] };
  const files = names.filter((name) => SAFETENSORS.test(name) && !SHARD.test(name));
  const whole = new Set(files.map((name) => name.replace(SAFETENSORS, '')));
  // What stands in one file as well was saved later than its shards.
  const indexes = names.filter((name) => name.endsWith(INDEX) && !whole.has(stemOf(name)));
  const shards = groupShards(names);
  const areUsual = indexes.every((index) => shards.has(stemOf(index)));
  if (indexes.length > 0 && (isRepo || !areUsual)) {
    return { weights: indexes.map(asMain), loose: [] };
  }
  const indexed = new Set([...whole, ...indexes.map(stemOf)]);
  const saves = [...shards].flatMap(([stem, own]) => (indexed.has(stem) ? [] : [oneSave(own)]));
  const complete = saves.filter((save): save is WeightFile => 'isMain' in save);
  const hasShards = complete.length > 0 || indexes.length > 0;
  const isTwice = (name: string): boolean =>
    CONSOLIDATED.test(name) && (hasShards || files.includes(WEIGHTS_FILE));
  const single = files
    .filter((name) => !isTwice(name) && !(hasShards && isRepo))
    .map((name) => ({ weightsPath: name, isMain: name === WEIGHTS_FILE }));
  const weights = [...indexes.map(asMain), ...complete, ...single];
  return {
    weights: weights.sort((a, b) => (a.weightsPath < b.weightsPath ? -1 : 1)),
    loose: saves.filter((save): save is LooseShards => 'missing' in save),
  };
}

/** As `from_pretrained` chooses: the file, and only without it the index of shards. */
function mainFile(names: ReadonlySet<string>): string | null {
  const wanted = MAIN_NAMES.flatMap((name) => [`${name}.safetensors`, `${name}${INDEX}`]);
  return wanted.find((name) => names.has(name)) ?? null;
}

function asMain(weightsPath: string): WeightFile {
  return { weightsPath, isMain: true };
}

function stemOf(index: string): string {
  return index.slice(0, -INDEX.length);
}

/** Shards by what stands before their numbers. */
function groupShards(names: readonly string[]): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const name of names) {
    const stem = SHARD.exec(name)?.[1];
    if (stem !== undefined) groups.set(stem, [...(groups.get(stem) ?? []), name]);
  }
  return groups;
}

/** Shards that no index names say of how many they are. */
function oneSave(shards: readonly string[]): WeightFile | LooseShards {
  const first = shards[0]!;
  const totals = new Set(shards.map((shard) => SHARD.exec(shard)![3]!));
  if (totals.size > 1) return { present: shards, missing: [] };
  const total = Math.min(Number([...totals][0]), MAX_SHARDS);
  const wanted = Array.from({ length: total }, (_, i) =>
    first.replace(/\d+(?=-of-\d+\.)/, (digits) => String(i + 1).padStart(digits.length, '0')),
  );
  const missing = wanted.filter((name) => !shards.includes(name));
  if (missing.length > 0) return { present: shards, missing };
  return { weightsPath: first, shards, isMain: true };
}
