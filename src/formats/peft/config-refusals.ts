/**
 * Fields of `adapter_config.json` under which an adapter is more, or other, than scale * B A on
 * named weights. Each is refused by its name: read as plain LoRA, it would be another model.
 */
import { PeruError } from '@/core/errors';

type Fields = Readonly<Record<string, unknown>>;

const MERGE_FIRST =
  'Merge the adapter into its base first (merge_and_unload in PEFT), save that, and add it as a full model.';
const CONVERT_INIT =
  'Convert it to plain LoRA in PEFT: save_pretrained(folder, path_initial_model_for_weight_conversion=INITIAL_ADAPTER).';

/** Fields that change what the factors mean as soon as they are set, and how to say so. */
const REFUSED: ReadonlyMap<string, string> = new Map([
  ['use_dora', 'it is a DoRA adapter, which also rescales the columns of each weight'],
  ['lora_bias', 'its lora_B layers have biases of their own'],
  ['layer_replication', 'it repeats layers of the base, so its layers are not those of the base'],
  ['target_parameters', 'it adapts bare parameters, such as stacked experts, instead of layers'],
  ['trainable_token_indices', 'it replaces single rows of an embedding'],
  ['use_qalora', 'it is a QA-LoRA adapter, which pools the inputs of each layer'],
  ['alora_invocation_tokens', 'it is an activated LoRA, which acts on part of each text only'],
  ['arrow_config', 'it routes each token between several adapters'],
  ['use_bdlora', 'its factors are block-diagonal'],
  ['enable_lora', 'it adapts parts of fused layers, a format that PEFT has given up'],
]);

/** `..._config` fields that PEFT reads only when training starts, or that move no weight. */
const TRAINING_ONLY: ReadonlySet<string> = new Set([
  'loftq_config',
  'eva_config',
  'corda_config',
  'lora_ga_config',
  'megatron_config',
  'runtime_config',
]);

/** Initialisations that leave the base's weights alone. */
const PLAIN_INITS: ReadonlySet<unknown> = new Set([true, false, 'gaussian', 'eva', 'orthogonal']);
/** Initialisations that move part of the base's weights into the adapter. */
const MOVING_INIT = /^(?:pissa|olora|corda|lora_ga)/i;

/**
 * @param label what messages call the file
 * @throws PeruError `unsupported`, naming the field
 */
export function refuseUnreadableFields(fields: Fields, label: string): void {
  for (const [field, value] of Object.entries(fields)) {
    if (!isSet(value)) continue;
    const reason = REFUSED.get(field);
    if (reason !== undefined) throw refusal(`${label} sets ${field}: ${reason}.`, MERGE_FIRST);
    if (isUnknownSwitch(field)) {
      throw refusal(
        `${label} sets ${field.slice(0, 60)}, which Peru does not know and which may change what the adapter does.`,
        MERGE_FIRST,
      );
    }
  }
  refuseInit(fields['init_lora_weights'] ?? true, label);
}

/** Later versions of PEFT name their variants `use_...` or configure them in `..._config`. */
function isUnknownSwitch(field: string): boolean {
  if (field === 'use_rslora' || TRAINING_ONLY.has(field)) return false;
  return field.startsWith('use_') || field.endsWith('_config');
}

function refuseInit(init: unknown, label: string): void {
  if (PLAIN_INITS.has(init)) return;
  const name = typeof init === 'string' ? JSON.stringify(init.slice(0, 60)) : 'not a name';
  if (typeof init === 'string' && MOVING_INIT.test(init)) {
    throw refusal(
      `${label} has init_lora_weights ${name}: the adapter started from part of the base's weights, so it fits a base that was changed with it, not the one it names.`,
      CONVERT_INIT,
    );
  }
  if (init === 'loftq') {
    throw refusal(
      `${label} has init_lora_weights "loftq": the adapter makes up for a quantised base, not for the one it names.`,
      MERGE_FIRST,
    );
  }
  throw refusal(
    `${label} has init_lora_weights ${name}, which Peru does not know: the base may have been changed with it.`,
    MERGE_FIRST,
  );
}

function refusal(message: string, hint: string): PeruError {
  return new PeruError('unsupported', message, hint);
}

/** What Python takes for true. */
function isSet(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}
