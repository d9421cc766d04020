/**
 * LoRA adapters as PEFT saves them: adapter_config.json beside adapter_model.safetensors.
 */
import { PeruError } from '@/core/errors';
import {
  fileLabel,
  joinPath,
  type OpenOptions,
  openRequired,
  type RepoSource,
} from '@/formats/checkpoint/checkpoint-source';
import { isRecord, JSON_CAPS, readJson } from '@/formats/checkpoint/json-file';
import { isPickle } from '@/formats/checkpoint/pickles';
import { mlxConfiguration } from '@/formats/checkpoint/refuse-factors';
import { type AdapterFormat, type LoraAdapter } from '@/formats/lora/lora-adapter';
import { checkpointTensors } from '@/tensor/checkpoint-tensors';
import { readSafetensorsHeader } from '@/tensor/safetensors';
import { readAdapterConfig } from './config';
import { readPeftAdapter } from './read-adapter';

const WEIGHTS = 'adapter_model.safetensors';
const CONFIG = 'adapter_config.json';
/** As PEFT wrote them before it used safetensors. */
const PICKLED_WEIGHTS = 'adapter_model.bin';

export const PEFT: AdapterFormat = {
  files: { weights: WEIGHTS, config: CONFIG },
  recognises: (has) => has(WEIGHTS) && has(CONFIG),
  ownsWeights: (name) => name === WEIGHTS,
  refuseIncomplete,
  open,
};

function refuseIncomplete(folder: string, names: readonly string[]): void {
  const has = (name: string): boolean => names.includes(name);
  if (!has(WEIGHTS) && !has(PICKLED_WEIGHTS) && !has(CONFIG)) return;
  const where = folder === '' ? 'the files added' : `the folder ${folder}`;
  if (has(WEIGHTS)) {
    throw new PeruError(
      'source',
      `${joinPath(folder, WEIGHTS)} came without its ${CONFIG}, which says how its factors are scaled.`,
      `Add the whole folder that PEFT saved, with ${CONFIG}.`,
    );
  }
  const pickle = names.find((name) => name.startsWith('adapter_') && isPickle(name));
  if (pickle !== undefined) {
    throw new PeruError(
      'unsupported',
      `${joinPath(folder, pickle)} is a PyTorch pickle, which can run code when it is read: Peru reads ${WEIGHTS} only.`,
      `Convert it: load the adapter with PeftModel.from_pretrained and save_pretrained(folder), or safetensors.torch.save_file(torch.load(file, weights_only=True), "${WEIGHTS}").`,
    );
  }
  throw new PeruError(
    'source',
    `There is an ${CONFIG} but no ${WEIGHTS} in ${where}.`,
    'Add the whole folder that PEFT saved, with its weights.',
  );
}

async function open(source: RepoSource, options?: OpenOptions): Promise<LoraAdapter> {
  const configLabel = fileLabel(source, CONFIG);
  const configFile = await openRequired(source, CONFIG, options);
  const json = await readJson(configFile, configLabel, JSON_CAPS.config);
  if (isMlxConfig(json)) throw mlxConfiguration(configLabel);
  const config = readAdapterConfig(json, configLabel);
  const blob = await openRequired(source, WEIGHTS, options);
  const header = await readSafetensorsHeader(blob, fileLabel(source, WEIGHTS));
  const weights = checkpointTensors(source.name, [{ blob, header }]);
  return readPeftAdapter({ name: source.name, config, weights });
}

/** The configuration of mlx-lm has fields of its own, and no peft_type. */
function isMlxConfig(json: unknown): boolean {
  if (!isRecord(json) || 'peft_type' in json) return false;
  return 'fine_tune_type' in json || 'lora_parameters' in json;
}
