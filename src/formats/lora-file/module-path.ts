/**
 * One name for a module, whatever spelling a file has it in. No table of architectures: only what
 * programs put before a model's own names is known, and that kohya joins their parts with `_`.
 */

/** A module of a model, named alike in every spelling. */
export interface ModulePath {
  /** Equal for two names of one module. */
  readonly id: string;
  /** What programs call the model that it is in; empty where the name does not say. */
  readonly part: '' | 'denoiser' | 'text encoder' | 'text encoder 2' | 'text encoder 3';
  /** In dots, as the model has it, or joined by `_`. */
  readonly path: string;
  /** With what stands before it, but for PEFT's wrapper. */
  readonly name: string;
  /** Parts are joined, so that dots can not be told. */
  readonly isJoined: boolean;
}

const WRAPPERS = /^(?:module\.)?base_model\.model\./;
/** What kohya's and LyCORIS' names begin with. */
const JOINED = /^(?:lora_(?:te\d?|unet|transformer)|lycoris)_/;
/** What stands before a model's own names. */
const PARTS: readonly { readonly part: ModulePath['part']; readonly begins: RegExp }[] = [
  { part: 'text encoder 2', begins: /^(?:lora_te2_|text_encoder_2\.|text_encoder_2_)/ },
  { part: 'text encoder 3', begins: /^(?:lora_te3_|text_encoder_3\.|text_encoder_3_)/ },
  { part: 'text encoder', begins: /^(?:lora_te1?_|text_encoder\.|text_encoder_(?!\d))/ },
  {
    part: 'denoiser',
    // Of GPT-2 and its kin the stack is called `transformer`, too.
    begins:
      /^(?:lora_unet_|lora_transformer_|unet\.|transformer\.(?!(?:h|wte|wpe|ln_f)\b)|diffusion_model\.|model\.diffusion_model\.)/,
  },
];

/** @param key the module's name in a file */
export function modulePath(key: string): ModulePath {
  const name = plainName(key);
  const found = PARTS.find(({ begins }) => begins.test(name));
  const path = found === undefined ? name : name.replace(found.begins, '');
  const part = found?.part ?? '';
  // transformers 5 has left this part out of the names of CLIP's layers.
  const own = part.startsWith('text encoder') ? path.replace(/^text_model[._]/, '') : path;
  const id = `${part}|${own.replaceAll('.', '_')}`;
  return { id, part, path, name, isJoined: JOINED.test(name) };
}

/** Attention processors of diffusers stood between a layer and its projections. */
function plainName(key: string): string {
  const bare = key.replace(WRAPPERS, '');
  if (!bare.includes('.processor.')) return bare;
  return bare.replace('.processor.', '.').replace(/\.to_out$/, '.to_out.0');
}

/** What two spellings of one module have in common: its numbers, in order, and its last word. */
export function likeness({ path }: ModulePath): string {
  const numbers = path.match(/\d+/g) ?? [];
  const last = /[a-z0-9]+$/i.exec(path)?.[0] ?? '';
  return `${numbers.join(',')}|${last}`;
}
