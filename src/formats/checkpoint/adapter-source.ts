/**
 * A LoRA adapter is a repo as PEFT saves it: adapter_config.json beside adapter_model.safetensors.
 */
import { type OpenAdapter } from '@/formats/peft/adapter-plan';
import { readAdapterConfig } from '@/formats/peft/config';
import { checkpointTensors } from '@/tensor/checkpoint-tensors';
import { PeruError } from '@/core/errors';
import { readSafetensorsHeader } from '@/tensor/safetensors';
import {
  type CheckpointSource,
  fileLabel,
  type OpenOptions,
  openRequired,
  type RepoSource,
} from './checkpoint-source';
import { isRecord, JSON_CAPS, readJson } from './json-file';
import { mlxAdapter } from './refuse-factors';

/** A repo that holds an adapter. */
export type AdapterSource = RepoSource;

export const ADAPTER_FILE = 'adapter_model.safetensors';
export const ADAPTER_CONFIG = 'adapter_config.json';
const ADAPTER_PICKLE = 'adapter_model.bin';

/** What mlx-lm saves beside a configuration of its own, under the name of PEFT's. */
export const MLX_ADAPTER_FILE = 'adapters.safetensors';

/** Whether a folder was meant as an adapter of PEFT's, complete or not. */
export function isAdapterFolder(has: (name: string) => boolean): boolean {
  if (has(ADAPTER_FILE) || has(ADAPTER_PICKLE)) return true;
  return has(ADAPTER_CONFIG) && !has(MLX_ADAPTER_FILE);
}

/**
 * Reads an adapter's configuration and the header of its weights.
 *
 * @throws PeruError `source` for missing files, `parse` for broken ones, `unsupported` for adapters
 *   that are not plain LoRA
 */
export async function openAdapter(
  source: AdapterSource,
  options?: OpenOptions,
): Promise<OpenAdapter> {
  const configLabel = fileLabel(source, ADAPTER_CONFIG);
  const configFile = await openRequired(source, ADAPTER_CONFIG, options);
  const json = await readJson(configFile, configLabel, JSON_CAPS.config);
  if (isMlxConfig(json)) throw mlxAdapter(configLabel);
  const config = readAdapterConfig(json, configLabel);
  const blob = await openRequired(source, ADAPTER_FILE, options);
  const header = await readSafetensorsHeader(blob, fileLabel(source, ADAPTER_FILE));
  return { name: source.name, config, weights: checkpointTensors(source.name, [{ blob, header }]) };
}

/** The configuration of mlx-lm has fields of its own, and no peft_type. */
function isMlxConfig(json: unknown): boolean {
  if (!isRecord(json) || 'peft_type' in json) return false;
  return 'fine_tune_type' in json || 'lora_parameters' in json;
}

/**
 * The base of adapters that were added together with full checkpoints: the only one there is, or
 * the one chosen.
 *
 * @param chosenId `id` of the checkpoint that the visitor chose
 * @throws PeruError `source` when there is none, `choose-base` when there are several
 */
export function baseOfAdapters(
  adapters: readonly AdapterSource[],
  checkpoints: readonly CheckpointSource[],
  chosenId: string | undefined,
): CheckpointSource {
  const [only, another] = checkpoints;
  const names = adapters.map(({ name }) => name);
  const some =
    names.slice(0, 3).join(', ') + (names.length > 3 ? ` and ${names.length - 3} more` : '');
  if (only === undefined) {
    throw new PeruError(
      'source',
      `Adapters came without their base model: ${some}.`,
      'Add the base model too: the folder or .safetensors file that the adapters were trained on.',
    );
  }
  const chosen = checkpoints.find(({ id }) => id === chosenId);
  if (chosen !== undefined) return chosen;
  if (another === undefined) return only;
  throw new PeruError(
    'choose-base',
    `Adapters (${some}) came together with ${checkpoints.length} full models: ${checkpoints.map(({ name }) => name).join(', ')}. Only the adapters' base can stand beside them.`,
    'Choose the base of the adapters, and the other models are left out; or add full fine-tunes without adapters.',
    { choices: checkpoints.map(({ id, name }) => ({ id, name })) },
  );
}
