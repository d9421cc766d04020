/**
 * `adapter_config.json` of an adapter that Peru writes (huggingface/peft 0.17,
 * `tuners/lora/config.py`): what `PeftModel.from_pretrained` needs to rebuild the delta with scale 1.
 */
import { type AdapterConfig } from '@/formats/peft/config';
import { isInSavedModule, isSavedByName } from '@/formats/peft/keys';
import { type HeaderEntry } from '@/export/safetensors-writer';

/** What PEFT takes for an adapter that adapts nothing (`utils/constants.py`); it refuses an empty list. */
const NO_MODULES = 'dummy-target-modules';

/** What a source's configuration says that is said again. */
export type SourceSettings = Pick<
  AdapterConfig,
  'taskType' | 'modelClass' | 'modulesToSave' | 'tiesWeights'
>;

/** Of an adapter of which nothing is known but its weights. */
export const NO_SETTINGS: SourceSettings = {
  taskType: null,
  modelClass: null,
  modulesToSave: [],
  tiesWeights: false,
};

interface ConfigSpec {
  /** Those that are written: of rank 1 or more. */
  readonly modules: readonly {
    readonly name: string;
    readonly writtenName?: string;
    readonly rank: number;
    readonly layer?: unknown;
  }[];
  readonly copies?: readonly HeaderEntry[];
  readonly baseModel?: string | null;
  readonly source?: SourceSettings;
}

/**
 * lora_alpha = r, so the scale is 1; both by module where ranks differ (`rank_pattern`,
 * `alpha_pattern`). Trained copies are announced by `bias` and `modules_to_save`.
 */
export function adapterConfig({
  modules,
  copies = [],
  baseModel = null,
  source = NO_SETTINGS,
}: ConfigSpec): Record<string, unknown> {
  const { taskType, modelClass, modulesToSave, tiesWeights } = source;
  const ranks = modules.map((one) => ({ module: writtenLayer(one), rank: one.rank }));
  const largest = ranks.reduce((most, { rank }) => Math.max(most, rank), 1);
  const pattern = namedPattern(
    ranks.map(({ module, rank }) => ({ module, value: rank })),
    largest,
  );
  const adapted = new Set(ranks.map(({ module }) => module));
  const saved = savedModules(copies, adapted, modulesToSave);
  return {
    peft_type: 'LORA',
    ...(taskType === null ? {} : { task_type: taskType }),
    ...(modelClass === null ? {} : { auto_mapping: autoMapping(modelClass) }),
    base_model_name_or_path: baseModel,
    r: largest,
    lora_alpha: largest,
    lora_dropout: 0,
    ...(tiesWeights && copies.length > 0 ? { ensure_weight_tying: true } : {}),
    bias: biasOf(copies, adapted, saved),
    fan_in_fan_out: isTransposed(modules),
    target_modules: ranks.length === 0 ? NO_MODULES : ranks.map(({ module }) => module),
    ...(saved.length === 0 ? {} : { modules_to_save: saved }),
    rank_pattern: pattern,
    alpha_pattern: pattern,
    inference_mode: true,
  };
}

function autoMapping({ name, library }: NonNullable<SourceSettings['modelClass']>) {
  return { base_model_class: name, parent_library: library };
}

/** The layer of an adapted weight, as it is called in the model that is adapted. */
export function writtenLayer({
  name,
  writtenName = name,
}: {
  readonly name: string;
  readonly writtenName?: string;
}): string {
  return layerOf(writtenName);
}

/** The layer that a weight or bias belongs to: its name without the last part. */
export function layerOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf('.')));
}

/**
 * `rank_pattern` or `alpha_pattern`: what is not `usual`, by module.
 * PEFT takes the first key with `re.match(rf"(.*\.)?({key})$", module)` (`utils/other.py`,
 * `get_pattern_key`), where a dot stands for any character. A plain name that could be taken for
 * another module's is written as an expression for itself alone, `^a\.b`, as PEFT's own
 * documentation of `rank_pattern` does; the rest stay plain, as versions without `^` want them.
 */
export function namedPattern(
  entries: readonly { readonly module: string; readonly value: number }[],
  usual: number,
): Record<string, number> {
  const tails = tailsByLength(entries.map(({ module }) => module));
  const own = entries.filter(({ value }) => value !== usual);
  return Object.fromEntries(
    own.map(({ module, value }) => {
      const isPlain = /^[\w.-]+$/.test(module) && !/^\d+$/.test(module);
      const likes = (tails.get(module.length) ?? []).filter(({ tail }) => matches(module, tail));
      const others = likes.some(({ of }) => of !== module);
      return [isPlain && !others ? module : `^${escaped(module)}`, value] as const;
    }),
  );
}

interface Tail {
  readonly of: string;
  readonly tail: string;
}

/** Every name and its ends at a dot, by their length. */
function tailsByLength(modules: readonly string[]): ReadonlyMap<number, readonly Tail[]> {
  const tails = new Map<number, Tail[]>();
  for (const of of modules) {
    for (let at = 0; at >= 0 && at < of.length; at = nextPart(of, at)) {
      const tail = of.slice(at);
      const same = tails.get(tail.length) ?? [];
      same.push({ of, tail });
      tails.set(tail.length, same);
    }
  }
  return tails;
}

/** Where the next part of a dotted name begins; -1 behind the last. */
function nextPart(name: string, from: number): number {
  const dot = name.indexOf('.', from);
  return dot < 0 ? -1 : dot + 1;
}

/** Whether a plain key of a tail's length stands for it: alike, but where the key has a dot. */
function matches(key: string, tail: string): boolean {
  for (let i = 0; i < key.length; i++) {
    if (key[i] !== '.' && key[i] !== tail[i]) return false;
  }
  return true;
}

function escaped(module: string): string {
  return module.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/**
 * Layers of which the adapter brings copies that nothing else announces: as the source names them,
 * else each by itself, without those inside another of them, for PEFT wraps each of its
 * `modules_to_save` whole.
 */
export function savedModules(
  copies: readonly HeaderEntry[],
  adapted: ReadonlySet<string>,
  told: readonly string[],
): string[] {
  const own = copies.filter(({ name }) => !adapted.has(layerOf(name)));
  const used = [...new Set(told)].filter((saved) =>
    own.some(({ name }) => isInSavedModule(name, saved)),
  );
  const layers = own
    .filter(({ name }) => !isSavedByName(name) && !isSaved(name, used))
    .map(({ name }) => layerOf(name));
  const unique = [...new Set(layers)].sort();
  const outermost = unique.filter((layer) => !unique.some((outer) => isInside(layer, outer)));
  return [...used, ...outermost];
}

function isInside(layer: string, outer: string): boolean {
  return layer.startsWith(`${outer}.`);
}

/** `all` where a bias stands outside the adapted layers, too: PEFT says no more of which. */
function biasOf(
  copies: readonly HeaderEntry[],
  adapted: ReadonlySet<string>,
  saved: readonly string[],
): 'none' | 'lora_only' | 'all' {
  const layers = copies
    .filter(({ name }) => name.includes('bias') && !isSaved(name, saved))
    .map(({ name }) => layerOf(name));
  if (layers.length === 0) return 'none';
  return layers.every((layer) => adapted.has(layer)) ? 'lora_only' : 'all';
}

/** `fan_in_fan_out`: of the layers where it has a meaning, all are stored [in, out]. */
function isTransposed(modules: ConfigSpec['modules']): boolean {
  const layers = modules.map(({ layer }) => layer ?? 'linear');
  return layers.includes('conv1d') && !layers.includes('linear');
}

function isSaved(name: string, saved: readonly string[]): boolean {
  return saved.some((module) => isInSavedModule(name, module));
}
