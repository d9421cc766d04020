/** Opens files of LoRA factors in any spelling, and tells which files are some. */
import { PeruError } from '@/core/errors';
import {
  fileLabel,
  type OpenOptions,
  openRequired,
  type RepoSource,
} from '@/formats/checkpoint/checkpoint-source';
import { MARKED_MODULE, refuseFactors, WRAPPED_LAYER } from '@/formats/checkpoint/refuse-factors';
import { isRecord, JSON_CAPS, readJson } from '@/formats/checkpoint/json-file';
import { checkpointTensors } from '@/tensor/checkpoint-tensors';
import { readSafetensorsHeader, type SafetensorsHeader } from '@/tensor/safetensors';
import { configuredScale } from './configured-scale';
import { groupFactors } from './group-factors';
import { type LoraFile, type LoraFileConfig, type LoraFileModule } from './lora-file';
import { refuseOtherKinds } from './refuse-kinds';
import { factorName, type Spelling, SPELLINGS } from './spelling';

/** A file that may be one, and where its configuration would lie. */
export interface LoraFileSource {
  readonly repo: RepoSource;
  readonly weightsPath: string;
}

const CONFIG = 'adapter_config.json';
/** Files that their program saves together with a configuration; mlx-lm's steps are numbered. */
const CONFIGURED = /(?:^|\/)(?:adapter_model|(?:\d+_)?adapters)\.safetensors$/;

/**
 * Whether a header is that of a file of factors: most of its tensors are some, or their names are
 * such as only those files have. A model with its factors beside its weights is none.
 */
export function isLoraFile({ tensors }: Pick<SafetensorsHeader, 'tensors'>): boolean {
  const names = [...tensors.keys()];
  const factors = names.filter((name) => factorName(name) !== null);
  if (factors.length === 0 || names.some((name) => WRAPPED_LAYER.test(name))) return false;
  const alphas = names.filter((name) => name.endsWith('.alpha')).length;
  const isMost = 2 * (factors.length + alphas) >= names.length;
  return isMost || factors.some((name) => MARKED_MODULE.test(name));
}

/**
 * Reads the header, and the configuration beside it.
 *
 * @param name what it is called among the open files
 * @throws PeruError `source` for what can not be read, `parse` for broken files, `unsupported` for
 *   kinds other than plain LoRA, `mismatch` for factors that do not belong together
 */
export async function openLoraFile(
  { repo, weightsPath }: LoraFileSource,
  name: string,
  options?: OpenOptions,
): Promise<LoraFile> {
  const label = fileLabel(repo, weightsPath);
  const blob = await openRequired(repo, weightsPath, options);
  const header = await readSafetensorsHeader(blob, label);
  const weights = checkpointTensors(name, [{ blob, header }]);
  const { tensors } = weights;
  const isMlx = [...tensors.keys()].some((one) => factorName(one)?.spelling.isTransposed);
  refuseOtherKinds(tensors.keys(), label, isMlx);
  const config = CONFIGURED.test(weightsPath) ? await readConfig(repo, options) : null;
  if (isMlx && config?.kind !== 'mlx') throw withoutScale(label);
  const settingsOf = configuredScale(config, header.metadata, label);
  const { modules, carried } = groupFactors(tensors, settingsOf, label);
  if (modules.length === 0) {
    // Factors of other kinds are told by their format.
    refuseFactors(weights);
    throw withoutFactors(label);
  }
  return {
    ...{ name, label, repo, weightsPath, modules, carried, config },
    order: [...tensors.keys()],
    spelling: mostOf(modules),
    metadata: header.metadata,
    byteLength: header.byteLength,
  };
}

async function readConfig(
  repo: RepoSource,
  options: OpenOptions | undefined,
): Promise<LoraFileConfig | null> {
  const blob = await repo.open(CONFIG, options);
  if (blob === null) return null;
  const path = fileLabel(repo, CONFIG);
  const json = await readJson(blob, path, JSON_CAPS.config);
  if (!isRecord(json)) return null;
  return { kind: 'peft_type' in json ? 'peft' : 'mlx', path: CONFIG, json };
}

function mostOf(modules: readonly LoraFileModule[]): Spelling {
  const count = (spelling: Spelling): number =>
    modules.filter((module) => module.spelling === spelling).length;
  return SPELLINGS.reduce((most, one) => (count(one) > count(most) ? one : most));
}

function withoutScale(label: string): PeruError {
  return new PeruError(
    'source',
    `${label} is an MLX adapter without its ${CONFIG}, which says how its factors are scaled.`,
    `Add the whole folder that mlx-lm saved, with ${CONFIG}.`,
  );
}

function withoutFactors(label: string): PeruError {
  return new PeruError(
    'mismatch',
    `${label} holds no LoRA factors.`,
    'Leave it out, and add files of LoRA factors or checkpoints.',
  );
}
