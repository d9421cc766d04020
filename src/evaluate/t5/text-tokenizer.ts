/**
 * Prompts to token ids and answers back to text, by the repo's own tokenizer.json.
 *
 * The library computes T5's Unigram model, its pre-tokenizers and decoder as `tokenizers` does,
 * but for what counts as white space: U+0085 does not here, U+FEFF does. It ignores the character
 * map of the `Precompiled` normalizer in the public T5 files and takes NFKC instead, drops control
 * characters and makes all spaces alike. Against sentencepiece's own map (nmt_nfkc, one character
 * at a time) that differs, below U+A000, for U+0344, U+061C and the zero-width joiner U+200D, so
 * in joined emoji, and nowhere else.
 */
import { buildTokenizer } from '@/evaluate/clip/tokenize';

/** Most tokens of a prompt where the tokenizer sets no limit: what T5 was trained on. */
const DEFAULT_LIMIT = 512;
/** transformers writes 1e30 for "no limit"; no T5 reads more than this. */
const LARGEST_LIMIT = 2 ** 20;

export interface TextTokenizer {
  /** Ids with the special tokens of a single text, cut to the tokenizer's limit. */
  encode(text: string): Int32Array;
  /** Text without special tokens. */
  decode(ids: Int32Array): string;
}

/**
 * @param tokenizer parsed tokenizer.json
 * @param tokenizerConfig parsed tokenizer_config.json
 * @throws PeruError 'unsupported' when the tokenizer is not one the library can build
 */
export function createTextTokenizer(tokenizer: object, tokenizerConfig: object): TextTokenizer {
  const built = buildTokenizer(tokenizer, tokenizerConfig);
  const config: { readonly model_max_length?: unknown; clean_up_tokenization_spaces?: unknown } =
    tokenizerConfig;
  const limit = lengthLimit(config.model_max_length);
  // The special tokens after a text, such as T5's end of sequence: they survive the cut.
  const closing = built.encode('').ids;
  const options = {
    skip_special_tokens: true,
    clean_up_tokenization_spaces: config.clean_up_tokenization_spaces === true,
  };
  return {
    encode(text) {
      const { ids } = built.encode(text);
      if (ids.length <= limit) return Int32Array.from(ids);
      return Int32Array.from([...ids.slice(0, limit - closing.length), ...closing]);
    },
    decode(ids) {
      // The embedding may have more rows than the tokenizer has tokens; the rest says nothing.
      const known = [...ids].filter((id) => built.id_to_token(id) !== undefined);
      return known.length === 0 ? '' : built.decode(known, options);
    },
  };
}

function lengthLimit(value: unknown): number {
  const usable = typeof value === 'number' && value >= 1 && value <= LARGEST_LIMIT;
  return usable ? Math.floor(value) : DEFAULT_LIMIT;
}
