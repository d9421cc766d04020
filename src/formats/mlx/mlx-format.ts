/** LoRA adapters as mlx-lm saves them: adapter_config.json, under PEFT's name, beside adapters.safetensors. */
import { PeruError } from '@/core/errors';
import {
  fileLabel,
  joinPath,
  type OpenOptions,
  openRequired,
  type RepoSource,
} from '@/formats/checkpoint/checkpoint-source';
import { isRecord, JSON_CAPS, readJson } from '@/formats/checkpoint/json-file';
import { refuseFactors } from '@/formats/checkpoint/refuse-factors';
import { type AdapterFormat, type LoraAdapter } from '@/formats/lora/lora-adapter';
import { checkpointTensors } from '@/tensor/checkpoint-tensors';
import { readSafetensorsHeader } from '@/tensor/safetensors';
import { readMlxConfig } from './mlx-config';
import { readMlxAdapter } from './read-mlx-adapter';

const WEIGHTS = 'adapters.safetensors';
const CONFIG = 'adapter_config.json';
/** What it saves on the way, with the number of the iteration before it. */
const STEP = /^\d+_adapters\.safetensors$/;
/** As it wrote them before it used safetensors. */
const NUMPY_WEIGHTS = 'adapters.npz';
/** Where both lie in a folder, its configuration is that of PEFT, which others convert to. */
const PEFT_WEIGHTS = 'adapter_model.safetensors';

export const MLX: AdapterFormat = {
  files: { weights: WEIGHTS, config: CONFIG },
  recognises: (has) => has(WEIGHTS) && has(CONFIG) && !has(PEFT_WEIGHTS),
  ownsWeights: (name, has) => MLX.recognises(has) && (name === WEIGHTS || STEP.test(name)),
  refuseIncomplete,
  open,
};

/** Without their configuration, weights of this name may be of any program: then tensors decide. */
function refuseIncomplete(folder: string, names: readonly string[]): void {
  if (!names.includes(CONFIG) || !names.includes(NUMPY_WEIGHTS)) return;
  throw new PeruError(
    'unsupported',
    `${joinPath(folder, NUMPY_WEIGHTS)} is an archive of numpy's, as older versions of mlx-lm wrote adapters: Peru reads ${WEIGHTS} only.`,
    `Convert it in Python: mx.save_safetensors("${WEIGHTS}", dict(mx.load("${NUMPY_WEIGHTS}"))).`,
  );
}

async function open(source: RepoSource, options?: OpenOptions): Promise<LoraAdapter> {
  const path = fileLabel(source, CONFIG);
  const label = fileLabel(source, WEIGHTS);
  const json = await readJson(await openRequired(source, CONFIG, options), path, JSON_CAPS.config);
  if (!isRecord(json) || 'peft_type' in json) throw notOfMlx(path, label);
  const blob = await openRequired(source, WEIGHTS, options);
  const header = await readSafetensorsHeader(blob, label);
  const weights = checkpointTensors(source.name, [{ blob, header }]);
  const names = [...weights.tensors.keys()];
  // mlx-vlm and others use the same names of files: what they hold is told by their tensors.
  if (!names.some((name) => /\.lora_[ab]$/.test(name))) refuseFactors(weights);
  return readMlxAdapter({
    name: source.name,
    config: readMlxConfig({ json, path }, label),
    weights,
  });
}

function notOfMlx(path: string, label: string): PeruError {
  return new PeruError(
    'mismatch',
    `${path} is no configuration of mlx-lm's, though ${label} beside it has the name of its weights.`,
    'Keep the adapter_config.json and the weights of one training together; PEFT’s weights are called adapter_model.safetensors.',
  );
}
