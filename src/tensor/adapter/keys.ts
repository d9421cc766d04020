/**
 * Names of the tensors in `adapter_model.safetensors` (huggingface/peft, `utils/save_and_load.py`):
 * the module's name behind `base_model.model.`, then what the tensor is to it. Nothing is skipped:
 * a name that means nothing here is an error, for its tensor would change the model.
 */
import { PeruError } from '../errors';

export type AdapterKey =
  | {
      readonly kind: 'factor';
      readonly module: string;
      readonly side: 'A' | 'B';
      readonly embedding: boolean;
      /** Name of the adapter, where the file keeps it. */
      readonly adapter: string | null;
    }
  /** A trained copy of a whole tensor of the base. */
  | {
      readonly kind: 'copy';
      /** Its name in the model that was adapted. */
      readonly path: string;
      /** What the name says of it; null: the configuration must say that it is a trained copy. */
      readonly wrapper: 'base_layer' | 'modules_to_save' | null;
    }
  /** The base's own values beside a trained copy; the adapter does not use them. */
  | { readonly kind: 'original' };

const MODEL_PREFIX = 'base_model.model.';
/** `module.lora_A.weight`, `module.lora_embedding_B`, with the adapter's name behind lora_X. */
const FACTOR = /^(.+)\.lora_(embedding_)?([AB])(?:\.([^.]+))?$/;
const BASE_LAYER = /^(.+)\.base_layer\.(weight|bias)$/;
/** Parts that no name of a base's tensor has. */
const MEANINGLESS: ReadonlySet<string> = new Set(['', 'base_layer', 'modules_to_save']);
const SAVED_MODULE = /^(.+?)\.modules_to_save\.(?:[^.]+\.)?([^.].*)$/;

/** Names PEFT saves whole besides modules_to_save: biases, and embeddings it finds resized. */
const SAVED_EMBEDDING =
  /(?:^|\.)(?:embed_tokens|lm_head|wte|shared|word_embeddings|embed_in|embed_out)\.weight$/;

/** Whether PEFT's own rules explain a whole tensor, without `modules_to_save`. */
export function isSavedByName(path: string): boolean {
  return path.includes('bias') || SAVED_EMBEDDING.test(path);
}

/**
 * @param file what messages call the file
 * @throws PeruError `unsupported` for DoRA, biases of lora_B and any name of unknown meaning
 */
export function parseAdapterKey(key: string, file: string): AdapterKey {
  const name = key.startsWith(MODEL_PREFIX) ? key.slice(MODEL_PREFIX.length) : key;
  return factorKey(name) ?? copyKey(name) ?? refuse(key, file);
}

function factorKey(name: string): AdapterKey | null {
  const linear = name.endsWith('.weight');
  const [, module, embedding, side, adapter] =
    FACTOR.exec(linear ? name.slice(0, -'.weight'.length) : name) ?? [];
  // A linear layer's factor is a layer with a weight; an embedding's is a bare parameter.
  if (module === undefined || linear === (embedding !== undefined)) return null;
  if (module.split('.').some((part) => part === 'base_layer' || part.startsWith('lora_'))) {
    return null;
  }
  return {
    kind: 'factor',
    module,
    side: side === 'A' ? 'A' : 'B',
    embedding: embedding !== undefined,
    adapter: adapter ?? null,
  };
}

function copyKey(name: string): AdapterKey | null {
  if (/(?:^|\.)(?:lora_|token_adapter\.)/.test(name)) return null;
  if (/(?:^|\.)original_module\./.test(name)) return { kind: 'original' };
  const inBase = BASE_LAYER.exec(name);
  const wrapped = inBase ?? SAVED_MODULE.exec(name);
  const path = wrapped === null ? name : `${wrapped[1]!}.${wrapped[2]!}`;
  if (path.split('.').some((part) => MEANINGLESS.has(part))) return null;
  const wrapper = wrapped === null ? null : inBase === null ? 'modules_to_save' : 'base_layer';
  return { kind: 'copy', path, wrapper };
}

function refuse(key: string, file: string): never {
  const shown = `"${key.slice(0, 200)}"`;
  if (key.includes('lora_magnitude_vector')) {
    throw new PeruError(
      'unsupported',
      `${file} holds ${shown}: it is a DoRA adapter, which also rescales the columns of each weight.`,
      'Merge it into its base with merge_and_unload in PEFT and add the full model.',
    );
  }
  if (/\.lora_B\.(?:.+\.)?bias$/.test(key)) {
    throw new PeruError(
      'unsupported',
      `${file} holds ${shown}: its lora_B layers have biases of their own (lora_bias).`,
      'Merge it into its base with merge_and_unload in PEFT and add the full model.',
    );
  }
  throw unknownKey(key, file);
}

/** What a tensor of no known meaning gets told, here and when a copy turns out to be unasked for. */
export function unknownKey(key: string, file: string): PeruError {
  return new PeruError(
    'unsupported',
    `${file} holds the tensor "${key.slice(0, 200)}", which is no part of a LoRA adapter that Peru knows.`,
    'Save the adapter with save_pretrained in PEFT; adapters of other tools must be converted to its format first.',
  );
}
