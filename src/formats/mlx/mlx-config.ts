/**
 * `adapter_config.json` as mlx-lm writes it (mlx_lm/lora.py, mlx_lm/tuner/utils.py): the arguments of
 * its training, of which the kind, the scale and the rank decide what the factors mean.
 */
import { PeruError } from '@/core/errors';
import { isRecord } from '@/formats/checkpoint/json-file';

export interface MlxConfig {
  /** What the product is multiplied by, whatever its rank; mlx-lm reads no alpha. */
  readonly scale: number;
  /** Of the layers that mlx-lm makes; null where it is not said, or is no rank. */
  readonly rank: number | null;
  /** What it was trained on, for people only: a repo or a folder on another machine. */
  readonly model: string | null;
}

/**
 * @param config.path what messages call the configuration
 * @param label what they call the weights
 * @throws PeruError `unsupported` for a training of another kind than plain LoRA, `parse` without a scale
 */
export function readMlxConfig(
  { json, path }: { readonly json: Readonly<Record<string, unknown>>; readonly path: string },
  label: string,
): MlxConfig {
  refuseType(json, path, label);
  const { model, lora_parameters: parameters } = json;
  const { scale, rank } = isRecord(parameters) ? parameters : {};
  if (typeof scale !== 'number' || !Number.isFinite(scale) || scale === 0) {
    throw new PeruError(
      'parse',
      `${path} does not say how ${label} is scaled: lora_parameters.scale is no number but 0.`,
      'Keep the adapter_config.json and the adapters.safetensors of one training together.',
    );
  }
  return {
    scale,
    rank: typeof rank === 'number' && Number.isInteger(rank) && rank > 0 ? rank : null,
    model: typeof model === 'string' && model !== '' ? model : null,
  };
}

/** Before there was a `fine_tune_type`, `use_dora` told. */
function refuseType(
  { fine_tune_type: told, use_dora: usesDora }: Readonly<Record<string, unknown>>,
  path: string,
  label: string,
): void {
  const isOldDora = told === undefined && usesDora === true;
  const type = told ?? (isOldDora ? 'dora' : 'lora');
  if (type === 'lora') return;
  const field = isOldDora ? 'use_dora' : 'fine_tune_type';
  throw new PeruError(
    'unsupported',
    `${path} says that ${label} is of type ${JSON.stringify(type)} (${field}), not "lora".`,
    'Fold it into its base with mlx_lm.fuse and add the whole model; leave it out to go on with the others.',
  );
}
