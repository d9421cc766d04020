/** The scale of modules that bring no alpha: what stands beside their file, or in its metadata. */
import { isRecord } from '@/formats/checkpoint/json-file';
import { readMlxConfig } from '@/formats/mlx/mlx-config';
import { readAdapterConfig } from '@/formats/peft/config';
import { MODEL_PREFIX } from '@/formats/peft/keys';
import { type LoraFileConfig } from './lora-file';

/** Where diffusers keeps the configurations that PEFT would write, each with its model before its keys. */
export const DIFFUSERS_METADATA = 'lora_adapter_metadata';

/** PEFT's field for biases of all up factors, without which it would not read them. */
export const LORA_BIAS = 'lora_bias';

/** What is said of a module by its name in the file; the rank is null where none is. */
export interface ConfiguredModule {
  readonly scale: number;
  readonly rank: number | null;
}

export type SettingsOf = (key: string) => ConfiguredModule;

const NOTHING: ConfiguredModule = { scale: 1, rank: null };

/**
 * @throws PeruError `unsupported` for a configuration of another kind than plain LoRA, `parse` for
 *   one without a rank or scale
 */
export function configuredScale(
  config: LoraFileConfig | null,
  metadata: ReadonlyMap<string, string>,
  label: string,
): SettingsOf {
  if (config?.kind === 'mlx') {
    const { scale } = readMlxConfig(config, label);
    return () => ({ scale, rank: null });
  }
  if (config?.kind === 'peft') {
    const { settingsOf } = readAdapterConfig(withoutBias(config.json), config.path);
    return (key) => settingsOf(unwrappedKey(key));
  }
  return diffusersScale(metadata.get(DIFFUSERS_METADATA), label);
}

/** Biases of up factors are read with these (`spelling.ts`), which no base needs to take. */
function withoutBias(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return { ...fields, [LORA_BIAS]: false };
}

/** A module's name in the model that was adapted. */
export function unwrappedKey(key: string): string {
  return key.startsWith(MODEL_PREFIX) ? key.slice(MODEL_PREFIX.length) : key;
}

/** One configuration a model of the pipeline, all in one object: `transformer.r`, `unet.lora_alpha`; or `r`. */
function diffusersScale(text: string | undefined, label: string): SettingsOf {
  const fields = text === undefined ? null : parsedMetadata(text);
  if (fields === null) return () => NOTHING;
  const models = [...new Set(Object.keys(fields).flatMap(modelOf))];
  const rules = models.map((model) => {
    const own = Object.entries(fields).flatMap(([key, value]) =>
      key.startsWith(model) ? [[key.slice(model.length), value] as const] : [],
    );
    const json = withoutBias({ peft_type: 'LORA', ...Object.fromEntries(own) });
    return { model, ...readAdapterConfig(json, `${label} (${DIFFUSERS_METADATA})`) };
  });
  return (key) => {
    const rule = rules.find(({ model }) => key.startsWith(model));
    return rule?.settingsOf(key.slice(rule.model.length)) ?? NOTHING;
  };
}

/** The models that diffusers' metadata tells of, by what stands before their keys; null: it is not there. */
export function metadataModels(
  metadata: readonly (readonly [key: string, value: string])[],
): readonly string[] | null {
  const [, text] = metadata.find(([key]) => key === DIFFUSERS_METADATA) ?? [];
  const fields = text === undefined ? null : parsedMetadata(text);
  return fields === null ? null : Object.keys(fields).flatMap(modelOf);
}

/** What stands before a model's keys, its dot included: nothing where one model was saved alone. */
export function modelOf(key: string): string[] {
  return /(?:^|\.)r$/.test(key) ? [key.slice(0, -'r'.length)] : [];
}

/** Null where it is no object: then it says nothing. */
export function parsedMetadata(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const json: unknown = JSON.parse(text);
    return isRecord(json) ? json : null;
  } catch {
    return null;
  }
}
