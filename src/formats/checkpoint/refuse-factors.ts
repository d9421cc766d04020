/**
 * Low-rank factors and other changes of weights that were saved without PEFT's configuration. As
 * weights they would merge into something that is no model, so they are recognised by the names of
 * their tensors and refused by the name of their format.
 */
import { type CheckpointTensors } from '@/tensor/checkpoint-tensors';
import { PeruError } from '@/core/errors';

interface FactorFormat {
  readonly title: string;
  /** Of its tensors, all but those that go with them. */
  readonly names: RegExp;
  readonly wayOut: string;
}

const MLX = 'a LoRA in the format of mlx-lm';
const TO_PEFT =
  'name the factors base_model.model.MODULE.lora_A.weight [r, in] and lora_B.weight [out, r] in adapter_model.safetensors, and write adapter_config.json beside it with peft_type LORA, r, target_modules and lora_alpha';
const FROM_MLX =
  'Add the folder as mlx-lm saved it, adapters.safetensors beside adapter_config.json under these names, with or without its base.';
const FROM_DIFFUSERS = `Convert it to PEFT, each model of the pipeline apart: ${TO_PEFT} (that of the file, or else r).`;
const BAKE_IN =
  'Apply it to its base with the program that made it (LyCORIS: tools/merge.py), and add the whole model that results.';

const NO_WEIGHTS =
  'It is something that a model has besides its weights, so there is nothing to merge: leave it out, and add full fine-tunes or LoRA adapters.';

/** First those that PEFT wrote: their names are a special case of others'. */
const FORMATS: readonly FactorFormat[] = [
  {
    title: 'a PEFT adapter without its adapter_config.json',
    names:
      /^base_model\.model\..*\.(?:lora_(?:embedding_)?[AB]|(?:hada|lokr|b?oft|ia3|vera|bone|miss|c3a|delora|fourierft|hra|poly|randlora|road|shira|vblora|waveft|trainable_tokens)_)|^base_model\.model\..*\.adaption_(?:prompt|gate)$/,
    wayOut:
      'Add the folder that PEFT saved, with adapter_config.json beside adapter_model.safetensors, both under these names.',
  },
  {
    title: 'a LoRA in kohya’s format (sd-scripts, ComfyUI)',
    names: /(?:^|\.)lora_(?:down|up|mid)\.weight$/,
    wayOut:
      'Convert it to PEFT: examples/lora_dreambooth/convert_kohya_ss_sd_lora_to_peft.py of the peft repository does for Stable Diffusion; then add the folder it writes for this model.',
  },
  { title: MLX, names: /(?:^|\.)lora_[ab]$/, wayOut: FROM_MLX },
  {
    title: 'a LoRA in the format of mlx-vlm',
    names: /(?:^|\.)[AB]$/,
    wayOut: `Convert it to PEFT: transpose both factors, ${TO_PEFT} (alpha times r).`,
  },
  {
    title: 'a LoRA in NeMo’s format',
    names: /\.adapter_layer\..*\.linear_(?:in|out)\.weight$/,
    wayOut: `Let NeMo merge it into its base and export the whole model; or convert it to PEFT: ${TO_PEFT}.`,
  },
  {
    title: 'a LoRA in torchtune’s format',
    names: /(?:^|\.)lora_[ab]\.weight$/,
    wayOut: 'Let torchtune save it for PEFT (its checkpointer does so for Hugging Face models).',
  },
  {
    title: 'a LoRA in an older format of diffusers',
    names: /(?:[._]lora\d*|\.lora_linear_layer)\.(?:down|up)\.weight$/,
    wayOut: FROM_DIFFUSERS,
  },
  {
    title: 'a LoRA in diffusers’ format, without PEFT’s adapter_config.json',
    names: /(?:^|\.)lora_(?:embedding_)?[AB](?:\.[^.]+)?(?:\.(?:weight|bias))?$/,
    wayOut: FROM_DIFFUSERS,
  },
  {
    title: 'a LoHa (LyCORIS)',
    names: /(?:^|\.)hada_(?:w[12]_[ab]|t[12])(?:\.\w+)?$/,
    wayOut: BAKE_IN,
  },
  {
    title: 'a LoKr (LyCORIS)',
    names: /(?:^|\.)lokr_(?:w[12](?:_[ab])?|t2)(?:\.\w+)?$/,
    wayOut: BAKE_IN,
  },
  {
    title: 'an OFT or BOFT (orthogonal fine-tuning)',
    names: /(?:^|\.)b?oft_(?:blocks|diag|[rs])(?:\.weight)?$/i,
    wayOut: BAKE_IN,
  },
  {
    title: 'a GLoRA (LyCORIS)',
    names: /(?:^|\.)[ab][12]\.weight$/,
    wayOut: BAKE_IN,
  },
  {
    title: 'a file of changes to weights (ComfyUI, LyCORIS)',
    names: /(?:^|\.)(?:diff|diff_b|w_norm|b_norm|set_weight|on_input)$/,
    wayOut: BAKE_IN,
  },
  {
    title: 'a Control-LoRA',
    names: /^lora_controlnet$|\.(?:up|down)$/,
    wayOut: 'It steers another model and can not be merged with fine-tunes: leave it out.',
  },
  {
    title: 'a file of bottleneck adapters (AdapterHub)',
    names: /\.adapters?\..*\badapter_(?:down|up)\b/,
    wayOut: NO_WEIGHTS,
  },
  {
    title: 'a table of trained prompts (prompt tuning, textual inversion)',
    names: /^(?:prompt_embeddings|emb_params|<[^>]+>)$/,
    wayOut: NO_WEIGHTS,
  },
];

/** What stands beside factors and is none. */
const BESIDE = /\.(?:alpha|dora_scale|magnitude|m|lora_magnitude_vector(?:\.\w+)*|reshape_weight)$/;
/** Module paths that only files of factors have. */
export const MARKED_MODULE =
  /^(?:lora_(?:te\d*|unet|transformer)_|lycoris_|oft_unet_|base_model\.model\.)/;
/** Parts of a model that PEFT has wrapped: a layer under its factors, a head beside its copy. */
export const WRAPPED_LAYER = /\.(?:base_layer|original_module)\./;
/** What was trained of it, under the name that an adapter has unless it is given one. */
const WRAPPED_FACTOR =
  /\.(?:lora_(?:embedding_)?[AB]|hada_w\w+|lokr_w\w+|b?oft_\w+|ia3_l|vera_lambda_\w+|modules_to_save)(?:\.default)?(?:\.(?:\d+\.)?(?:weight|bias))?$/i;

/** Weights under PEFT's name whose configuration is that of mlx-lm. */
export function mlxConfiguration(configLabel: string): PeruError {
  return new PeruError(
    'unsupported',
    `${configLabel} is of ${MLX}, not of PEFT: it has no peft_type.`,
    FROM_MLX,
  );
}

/** @throws PeruError `unsupported` for a file of factors, and for a model saved with its factors */
export function refuseFactors({ tensors }: CheckpointTensors): void {
  const names = [...tensors.keys()];
  const fileOf = (name: string): string => tensors.get(name)!.fileName;
  const wrapped = names.find((name) => WRAPPED_FACTOR.test(name));
  if (wrapped !== undefined && names.some((name) => WRAPPED_LAYER.test(name))) {
    throw new PeruError(
      'unsupported',
      `${fileOf(wrapped)} holds a model with a PEFT adapter beside its weights ("${wrapped}"): merged one by one they would be no model.`,
      'Fold them in with PEFT (model.merge_and_unload(), then save_pretrained), or save the adapter alone and add its folder with the base.',
    );
  }
  const found = factorsAmong(names);
  if (found === null) return;
  const { format, name } = found;
  throw new PeruError(
    'unsupported',
    `${fileOf(name)} is ${format.title}, no checkpoint: its tensors ("${name}") are no weights and can not be merged as such.`,
    format.wayOut,
  );
}

/**
 * The format that most factors are in, and one of them. A model may well have some modules that are
 * called so: those are not most of its tensors.
 */
function factorsAmong(
  names: readonly string[],
): { readonly format: FactorFormat; readonly name: string } | null {
  const found = FORMATS.map((format) => ({
    format,
    factors: names.filter((name) => format.names.test(name)),
  }));
  const factors = new Set(found.flatMap((one) => one.factors));
  const beside = names.filter((name) => BESIDE.test(name)).length;
  const isMost = 2 * (factors.size + beside) >= names.length;
  if (factors.size === 0 || !(isMost || [...factors].some((name) => MARKED_MODULE.test(name))))
    return null;
  const most = found.reduce((a, b) => (b.factors.length > a.factors.length ? b : a));
  return { format: most.format, name: most.factors[0]! };
}
