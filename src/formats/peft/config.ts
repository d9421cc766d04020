/**
 * `adapter_config.json` of a PEFT LoRA adapter (huggingface/peft 0.17, `tuners/lora/config.py`):
 * what decides each module's rank and scale, and whatever would make the weights' change something
 * other than scale * B A, which is refused by name. The file is a stranger's: any JSON may come.
 */
import { PeruError } from '@/core/errors';
import { type ModelClass } from '@/formats/lora/lora-adapter';
import { refuseUnreadableFields } from './config-refusals';
import { moduleRules } from './module-rules';

export interface AdapterConfig {
  /** What messages call the file. */
  readonly label: string;
  /** `base_model_name_or_path`, for people only: it may name a folder on another machine. */
  readonly baseModel: string | null;
  /** `task_type`: which of PEFT's model classes it was trained with. */
  readonly taskType: string | null;
  /** `r`: the rank of modules that `rank_pattern` does not name. */
  readonly rank: number;
  /** `fan_in_fan_out`: weights of the module replaced last are stored [in, out]. */
  readonly fanInFanOut: boolean;
  readonly bias: 'none' | 'all' | 'lora_only';
  readonly modulesToSave: readonly string[];
  /** `ensure_weight_tying`: a trained copy of an embedding is the head's table, too. */
  readonly tiesWeights: boolean;
  /** `auto_mapping`: the class it was made for, where no `task_type` tells; else null. */
  readonly modelClass: ModelClass | null;
  /**
   * Rank and scale of a module, by its name in the model that was adapted.
   *
   * @throws PeruError `unsupported` for a pattern that is too slow to match
   */
  readonly settingsOf: (module: string) => ModuleSettings;
  /** Whether PEFT would adapt this module: `target_modules` and what narrows it. */
  readonly isTarget: (module: string) => boolean;
}

export interface ModuleSettings {
  readonly rank: number;
  /** Factor of B A: alpha / rank, or alpha / sqrt(rank) with `use_rslora`. */
  readonly scale: number;
}

type Fields = Readonly<Record<string, unknown>>;

/** PEFT's own defaults, for files of versions that wrote only what was set. */
const DEFAULT_RANK = 8;
const DEFAULT_ALPHA = 8;
/** Largest rank believed; the widest layers in use have a few hundred thousand rows. */
const MAX_RANK = 1 << 20;

/**
 * @param json a parsed adapter_config.json
 * @param label what messages call the file
 * @throws PeruError `parse` for fields of the wrong kind, `unsupported` for adapters that are not
 *   plain LoRA, each by the name of the field
 */
export function readAdapterConfig(json: unknown, label: string): AdapterConfig {
  const fields = objectOf(json, label);
  refusePeftType(fields, label);
  refuseUnreadableFields(fields, label);
  const rank = rankOf(fields['r'] ?? DEFAULT_RANK, 'r', label);
  const { lora_alpha: scaled = DEFAULT_ALPHA } = fields;
  // NaN is read as null, which is no number that was left out.
  const alpha = numberOf(scaled, 'lora_alpha', label);
  const stabilised = flagOf(fields, 'use_rslora', label);
  const rules = moduleRules(ruleFields(fields, label), label);
  return {
    label,
    baseModel: nameOf(fields['base_model_name_or_path']),
    taskType: nameOf(fields['task_type']),
    rank,
    fanInFanOut: flagOf(fields, 'fan_in_fan_out', label),
    bias: biasOf(fields['bias'], label),
    modulesToSave: rules.modulesToSave,
    tiesWeights: flagOf(fields, 'ensure_weight_tying', label),
    modelClass: modelClassOf(fields['auto_mapping']),
    settingsOf: (module) => {
      const own = rules.rankOf(module) ?? rank;
      const scale = (rules.alphaOf(module) ?? alpha) / (stabilised ? Math.sqrt(own) : own);
      return { rank: own, scale };
    },
    isTarget: rules.isTarget,
  };
}

function ruleFields(fields: Fields, label: string): Parameters<typeof moduleRules>[0] {
  return {
    targetModules: namesOrPattern(fields, 'target_modules', label),
    excludeModules: namesOrPattern(fields, 'exclude_modules', label),
    modulesToSave: listOf(fields, 'modules_to_save', label),
    layersToTransform: layersOf(fields['layers_to_transform'], label),
    layersPattern: layersPatternOf(fields, label),
    rankPattern: patternOf(fields, 'rank_pattern', label, rankOf),
    alphaPattern: patternOf(fields, 'alpha_pattern', label, numberOf),
  };
}

function broken(label: string, what: string): PeruError {
  return new PeruError(
    'parse',
    `${label} is not an adapter's configuration as PEFT writes it: ${what}.`,
    'Save the adapter again with save_pretrained in PEFT, or download its folder again.',
  );
}

/** A value as it stands in the file, cut short, for messages. */
function shown(value: unknown): string {
  if (typeof value === 'object' && value !== null)
    return Array.isArray(value) ? 'a list' : 'an object';
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function objectOf(json: unknown, label: string): Fields {
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) {
    // A copy without a prototype: a missing field can not be mistaken for one of Object's own.
    return Object.assign(Object.create(null) as Record<string, unknown>, json);
  }
  throw broken(label, 'it holds no JSON object at its top level');
}

function refusePeftType(fields: Fields, label: string): void {
  const type = fields['peft_type'];
  if (type === 'LORA') return;
  if (typeof type !== 'string') throw broken(label, 'it has no peft_type');
  throw new PeruError(
    'unsupported',
    `${label} is an adapter of type ${shown(type)} (peft_type); Peru reads LoRA adapters, peft_type "LORA".`,
    'Merge it into its base with merge_and_unload in PEFT and add the full model, or train a LoRA adapter.',
  );
}

function rankOf(value: unknown, field: string, label: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MAX_RANK) {
    return value;
  }
  throw broken(label, `${field} is ${shown(value)} instead of a rank, a whole number from 1`);
}

function numberOf(value: unknown, field: string, label: string): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw broken(label, `${field} is ${shown(value)} instead of a number`);
}

function flagOf(fields: Fields, field: string, label: string): boolean {
  const value = fields[field] ?? false;
  if (typeof value === 'boolean') return value;
  throw broken(label, `${field} is ${shown(value)} instead of true or false`);
}

function nameOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** What is no class of a library is not told. */
function modelClassOf(mapping: unknown): ModelClass | null {
  if (typeof mapping !== 'object' || mapping === null) return null;
  const { base_model_class: name, parent_library: library } = mapping as Fields;
  const isNamed = typeof name === 'string' && typeof library === 'string';
  return isNamed && /^\w{1,100}$/.test(name) && /^[\w.]{1,200}$/.test(library)
    ? { name, library }
    : null;
}

function biasOf(value: unknown, label: string): AdapterConfig['bias'] {
  const bias = value ?? 'none';
  if (bias === 'none' || bias === 'all' || bias === 'lora_only') return bias;
  throw broken(label, `bias is ${shown(bias)} instead of "none", "all" or "lora_only"`);
}

function listOf(fields: Fields, field: string, label: string): readonly string[] {
  const value = fields[field] ?? [];
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
  throw broken(label, `${field} is ${shown(value)} instead of a list of module names`);
}

/** A list of names, a regular expression as text, or null when absent. */
function namesOrPattern(
  fields: Fields,
  field: string,
  label: string,
): readonly string[] | string | null {
  const value = fields[field] ?? null;
  if (value === null || typeof value === 'string') return value;
  return listOf(fields, field, label);
}

function layersOf(value: unknown, label: string): ReadonlySet<number> | null {
  if (value === undefined || value === null) return null;
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  const layers = list.filter((item) => Number.isSafeInteger(item)) as number[];
  if (layers.length !== list.length) {
    throw broken(label, `layers_to_transform is ${shown(value)} instead of layer numbers`);
  }
  return layers.length === 0 ? null : new Set(layers);
}

function layersPatternOf(fields: Fields, label: string): readonly string[] {
  const value = namesOrPattern(fields, 'layers_pattern', label) ?? [];
  if (typeof value !== 'string') return value;
  return value === '' ? [] : [value];
}

function patternOf(
  fields: Fields,
  field: string,
  label: string,
  read: (value: unknown, field: string, label: string) => number,
): ReadonlyMap<string, number> {
  const value = fields[field] ?? {};
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw broken(label, `${field} is ${shown(value)} instead of an object from modules to numbers`);
  }
  const entries = Object.entries(value as Fields);
  return new Map(
    entries.map(([key, entry]) => [key, read(entry, `${field}[${shown(key)}]`, label)]),
  );
}
