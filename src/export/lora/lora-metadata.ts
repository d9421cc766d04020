/** Metadata and configuration of a written file: the source's, with what says its ranks anew. */
import { isRecord } from '@/formats/checkpoint/json-file';
import {
  DIFFUSERS_METADATA,
  LORA_BIAS,
  modelOf,
  parsedMetadata,
  unwrappedKey,
} from '@/formats/lora-file/configured-scale';
import { type LoraFileConfig } from '@/formats/lora-file/lora-file';
import { adapterConfig, namedPattern } from '@/export/adapter/adapter-config';
import { type LoraChoices } from '@/recipe/lora-choices';
import { type LoraFileFacts } from './lora-contents';
import { type WrittenLoraModule } from './written-modules';
import { isPeftFolder } from './written-names';

/** Hashes of the tensors that were: sd-scripts' and modelspec's. */
const HASHES = ['sshs_model_hash', 'sshs_legacy_hash', 'modelspec.hash_sha256'];
const RANK = 'ss_network_dim';
const ALPHA = 'ss_network_alpha';
/** What sd-scripts writes where modules differ. */
const BY_MODULE = 'Dynamic';
const RECIPE = 'peru';

/** `__metadata__` of the written file; the recipe is one line of JSON. */
export function loraMetadata(
  { metadata, spelling }: Pick<LoraFileFacts, 'metadata' | 'spelling'>,
  modules: readonly WrittenLoraModule[],
  { recipe, converted }: { readonly recipe: string; readonly converted: LoraChoices['spelling'] },
): ReadonlyMap<string, string> {
  const written = new Map(metadata.filter(([key]) => !HASHES.includes(key)));
  // It tells of names as diffusers has them.
  if (converted === 'kohya' || converted === 'mlx') written.delete(DIFFUSERS_METADATA);
  if (written.size === 0) written.set('format', 'pt');
  if (spelling === 'kohya' && written.has(RANK)) {
    written.set(RANK, common(modules.map(({ rank }) => rank)));
    written.set(ALPHA, common(modules.map(({ rank, scale }) => rank * scale)));
  }
  const ofDiffusers = written.get(DIFFUSERS_METADATA);
  if (ofDiffusers !== undefined) {
    written.set(DIFFUSERS_METADATA, diffusersText(ofDiffusers, modules));
  }
  return written.set(RECIPE, recipe);
}

function common(values: readonly number[]): string {
  const [first] = values;
  return values.every((value) => value === first) ? String(first) : BY_MODULE;
}

interface ConfigChoices extends Pick<LoraChoices, 'spelling' | 'carried'> {
  /** Files whose other tensors are in the written one. */
  readonly bringers: readonly Pick<LoraFileFacts, 'config'>[];
}

/** The configuration beside a written file, and its name; null where there is none. */
export function loraConfig(
  { config, factors }: Pick<LoraFileFacts, 'config' | 'factors'>,
  modules: readonly WrittenLoraModule[],
  { spelling, carried, bringers }: ConfigChoices,
): { readonly name: string; readonly text: string } | null {
  const kind = configKind(config, modules, { spelling });
  if (kind === null) return null;
  const own = new Set(factors.map(({ key }) => key));
  const isWider = modules.some(({ key }) => !own.has(key));
  const json =
    kind === 'mlx'
      ? mlxConfig(config?.kind === 'mlx' ? config : null, modules, isWider)
      : peftConfig(config?.kind === 'peft' ? config : null, modules, {
          saved: carried === 'leave' ? [] : savedModules(bringers),
          bias: carried === 'leave' ? 'none' : biasOf(bringers),
          isWider,
        });
  return { name: 'adapter_config.json', text: `${JSON.stringify(json, null, 2)}\n` };
}

/** A folder with a configuration is what PEFT and mlx-lm read; loose files have none. */
function configKind(
  config: LoraFileConfig | null,
  modules: readonly WrittenLoraModule[],
  { spelling }: Pick<LoraChoices, 'spelling'>,
): 'peft' | 'mlx' | null {
  if (spelling === 'source') return config?.kind ?? null;
  if (spelling === 'kohya') return null;
  if (spelling === 'mlx') return 'mlx';
  return isPeftFolder(modules.map(({ key }) => key)) ? 'peft' : null;
}

/** `modules_to_save` of all files whose other tensors are in this one. */
function savedModules(bringers: ConfigChoices['bringers']): string[] {
  const saved = bringers.flatMap(({ config }) => {
    const names = config?.kind === 'peft' ? config.json['modules_to_save'] : null;
    return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : [];
  });
  return [...new Set(saved)];
}

interface PeftFields {
  readonly saved: readonly string[];
  readonly bias: string;
  /** Modules come from other files, too. */
  readonly isWider: boolean;
}

/** Which biases PEFT reads: the most that any of the files says. */
function biasOf(bringers: ConfigChoices['bringers']): string {
  const said = bringers.map(({ config }) => config?.json['bias']);
  return ['all', 'lora_only'].find((one) => said.includes(one)) ?? 'none';
}

function peftConfig(
  config: LoraFileConfig | null,
  modules: readonly WrittenLoraModule[],
  { saved, bias, isWider }: PeftFields,
): Record<string, unknown> {
  const named = modules.map(({ key, rank, scale }) => {
    const name = `${unwrappedKey(key)}.weight`;
    return { name, rank, alpha: rank * scale };
  });
  const written = adapterConfig({ modules: named, baseModel: null });
  const alphas = alphaFields(named);
  const hasBias = modules.some(({ biasDtype }) => biasDtype !== null);
  if (config === null) return { ...written, ...alphas, ...(hasBias && { [LORA_BIAS]: true }) };
  const { r, rank_pattern, target_modules } = written;
  const wider = isWider ? { target_modules } : {};
  const fields: Record<string, unknown> = { ...config.json, r, rank_pattern, ...alphas, ...wider };
  if ('bias' in fields || bias !== 'none') fields['bias'] = bias;
  const had = config.json['modules_to_save'];
  if (saved.length > 0 || Array.isArray(had)) {
    fields['modules_to_save'] = saved.length === 0 ? null : saved;
  }
  if (hasBias || LORA_BIAS in fields) fields[LORA_BIAS] = hasBias;
  // The scale is alpha / r from here on, whatever it was.
  if ('use_rslora' in fields) fields['use_rslora'] = false;
  return fields;
}

function alphaFields(
  modules: readonly { readonly name: string; readonly rank: number; readonly alpha: number }[],
) {
  const largest = modules.reduce((most, one) => (one.rank > most.rank ? one : most));
  const entries = modules.map(({ name, alpha }) => {
    return { module: name.slice(0, -'.weight'.length), value: alpha };
  });
  return { lora_alpha: largest.alpha, alpha_pattern: namedPattern(entries, largest.alpha) };
}

/** Of mlx-lm; those without factors of their own are left as they are. */
const ALL_LAYERS = -1;

/** mlx-lm reads the rank from here to make its layers, and one scale for all of them. */
function mlxConfig(
  config: LoraFileConfig | null,
  modules: readonly WrittenLoraModule[],
  isWider: boolean,
): Record<string, unknown> {
  const rank = modules.reduce((most, one) => Math.max(most, one.rank), 1);
  const scale = modules[0]?.scale ?? 1;
  const keys = [...new Set(modules.map(({ key }) => key.replace(/^.*\.layers\.\d+\./, '')))];
  if (config !== null) {
    const { lora_parameters: before } = config.json;
    const parameters = { ...(isRecord(before) ? before : {}), rank, scale };
    const wider = isWider ? { num_layers: ALL_LAYERS } : {};
    const own = isWider ? { ...parameters, keys } : parameters;
    return { ...config.json, ...wider, lora_parameters: own };
  }
  return {
    fine_tune_type: 'lora',
    num_layers: ALL_LAYERS,
    lora_parameters: { rank, scale, dropout: 0, keys },
  };
}

/** PEFT's configurations in diffusers' metadata, each field behind its model's name. */
function diffusersText(text: string, modules: readonly WrittenLoraModule[]): string {
  const before = parsedMetadata(text);
  if (before === null) return text;
  const fields: Record<string, unknown> = { ...before };
  const models = Object.keys(fields).flatMap(modelOf);
  for (const model of models) {
    const own = modules.filter(({ key }) => key.startsWith(model));
    if (own.length === 0) continue;
    const { r, rank_pattern, lora_alpha, alpha_pattern } = peftConfig(
      null,
      own.map((one) => ({ ...one, key: one.key.slice(model.length) })),
      { saved: [], bias: 'none', isWider: false },
    );
    Object.assign(
      fields,
      Object.fromEntries(
        Object.entries({ r, rank_pattern, lora_alpha, alpha_pattern }).map(([key, value]) => [
          model + key,
          value,
        ]),
      ),
    );
    if (fields[`${model}use_rslora`] === true) fields[`${model}use_rslora`] = false;
    const hasBias = own.some(({ biasDtype }) => biasDtype !== null);
    if (hasBias || fields[model + LORA_BIAS] === true) fields[model + LORA_BIAS] = hasBias;
  }
  return JSON.stringify(fields, null, 2);
}
