/**
 * Names of the tensors in `adapter_model.safetensors` (huggingface/peft, `utils/save_and_load.py`):
 * the module's name behind `base_model.model.`, then what the tensor is to it. Nothing is skipped:
 * a name that means nothing here is an error, for its tensor would change the model.
 */
import { PeruError } from '@/core/errors';
import { WRAPPER_PARTS, withoutWrappers } from '@/formats/lora/wrappers';

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
      /** Its name if the first part behind `modules_to_save` is an adapter's name, and that name. */
      readonly named?: { readonly adapter: string; readonly path: string };
    }
  /** The base's own values beside a trained copy; the adapter does not use them. */
  | { readonly kind: 'original' };

/** What PEFT puts before the names of the model that it adapts. */
export const MODEL_PREFIX = 'base_model.model.';
/** What `DistributedDataParallel` puts before all names. */
const PARALLEL_PREFIX = 'module.';
/** `module.lora_A.weight`, `module.lora_embedding_B`, with the adapter's name behind lora_X. */
const FACTOR = /^(.+)\.lora_(embedding_)?([AB])(?:\.([^.]+))?$/;
const BASE_LAYER = /^(.+)\.base_layer\.(weight|bias)$/;
/** Parts that no name of a base's tensor has. */
const MEANINGLESS: ReadonlySet<string> = new Set(['', 'base_layer', 'modules_to_save']);
const SAVED_MODULE = /^(.+?)\.modules_to_save\.([^.].*)$/;

/** Names PEFT saves whole besides modules_to_save: biases, and embeddings it finds resized. */
const SAVED_EMBEDDING =
  /(?:^|\.)(?:embed_tokens|lm_head|wte|shared|word_embeddings|embed_in|embed_out)\.weight$/;

/** Whether PEFT's own rules explain a whole tensor, without `modules_to_save`. */
export function isSavedByName(path: string): boolean {
  return path.includes('bias') || isSavedEmbedding(path);
}

/** Whether PEFT saves it by its name alone, as the table of a vocabulary that was resized. */
export function isSavedEmbedding(path: string): boolean {
  return SAVED_EMBEDDING.test(path);
}

/** Whether PEFT would keep a tensor as part of a module of `modules_to_save`, by its name's end. */
export function isInSavedModule(path: string, savedModule: string): boolean {
  if (savedModule === '') return false;
  for (let dot = path.indexOf('.'); dot >= 0; dot = path.indexOf('.', dot + 1)) {
    if (path.slice(0, dot).endsWith(savedModule)) return true;
  }
  return false;
}

/** The parts of wrappers in a name; `module` counts only before PEFT's own prefix. */
export function wrapperParts(key: string): string[] {
  const parts = key.split('.').filter((part) => WRAPPER_PARTS.has(part));
  return withoutWrappers(key).startsWith(PARALLEL_PREFIX + MODEL_PREFIX)
    ? ['module', ...parts]
    : parts;
}

/**
 * @param file what messages call the file
 * @throws PeruError `unsupported` for DoRA, biases of lora_B and any name of unknown meaning
 */
export function parseAdapterKey(key: string, file: string): AdapterKey {
  const plain = withoutWrappers(key);
  const own = plain.startsWith(PARALLEL_PREFIX + MODEL_PREFIX)
    ? plain.slice(PARALLEL_PREFIX.length)
    : plain;
  const name = own.startsWith(MODEL_PREFIX) ? own.slice(MODEL_PREFIX.length) : own;
  return factorKey(name) ?? copyKey(name) ?? refuse(key, file);
}

function factorKey(name: string): AdapterKey | null {
  const linear = name.endsWith('.weight');
  const [, wrapped, embedding, side, adapter] =
    FACTOR.exec(linear ? name.slice(0, -'.weight'.length) : name) ?? [];
  // A linear layer's factor is a layer with a weight; an embedding's is a bare parameter.
  if (wrapped === undefined || linear === (embedding !== undefined)) return null;
  // A layer that was wrapped twice lies in its wrapper's base_layer.
  const module = withoutDefault(wrapped.replace(/(?:\.base_layer)+$/, ''));
  if (module === '' || /(?:^|\.)(?:base_layer(?:\.|$)|lora_)/.test(module)) {
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
  const saved = SAVED_MODULE.exec(name);
  if (saved !== null) return savedKey(saved[1]!, saved[2]!);
  const inBase = BASE_LAYER.exec(name);
  const path = withoutDefault(inBase === null ? name : `${inBase[1]!}.${inBase[2]!}`);
  if (!isMeaningful(path)) return null;
  return { kind: 'copy', path, wrapper: inBase === null ? null : 'base_layer' };
}

function savedKey(module: string, inner: string): AdapterKey | null {
  const path = withoutDefault(`${module}.${inner}`);
  if (!isMeaningful(path)) return null;
  const dot = inner.indexOf('.');
  if (dot < 0 || inner.startsWith('default.'))
    return { kind: 'copy', path, wrapper: 'modules_to_save' };
  const named = { adapter: inner.slice(0, dot), path: `${module}.${inner.slice(dot + 1)}` };
  return { kind: 'copy', path, wrapper: 'modules_to_save', named };
}

function isMeaningful(path: string): boolean {
  return !path.split('.').some((part) => MEANINGLESS.has(part));
}

/** PEFT's name for an adapter that got none stands in keys of some versions, and in no model's. */
function withoutDefault(path: string): string {
  return path
    .split('.')
    .filter((part) => part !== 'default')
    .join('.');
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
