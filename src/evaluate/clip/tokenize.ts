/** Prompts to token ids by the repo's own tokenizer.json, and where each prompt is pooled. */
import { Tokenizer } from '@huggingface/tokenizers';
import { PeruError } from '@/core/errors';
import { type TextConfig } from './clip-config';

/** The legacy eos_token_id of early CLIP configs: pool at the largest id of the prompt. */
const LEGACY_END_OF_TEXT_ID = 2;

export interface TokenBatch {
  readonly count: number;
  /** Tokens of every prompt, padding included. */
  readonly tokenCount: number;
  /** [count, tokenCount] */
  readonly ids: Int32Array;
}

export interface PromptTokenizer {
  /** Ids of each prompt, cut and padded to the context length as transformers does. */
  encode(prompts: readonly string[]): TokenBatch;
}

/**
 * @param tokenizer parsed tokenizer.json
 * @param tokenizerConfig parsed tokenizer_config.json
 * @throws PeruError 'unsupported' when the tokenizer is not one the library can build
 */
export function createPromptTokenizer(
  tokenizer: object,
  tokenizerConfig: object,
  contextLength: number,
): PromptTokenizer {
  const built = buildTokenizer(tokenizer, tokenizerConfig);
  const padId = paddingId(built, tokenizerConfig);
  return {
    encode(prompts) {
      const ids = new Int32Array(prompts.length * contextLength).fill(padId);
      for (const [row, prompt] of prompts.entries()) {
        ids.set(cut(built.encode(prompt).ids, contextLength), row * contextLength);
      }
      return { count: prompts.length, tokenCount: contextLength, ids };
    },
  };
}

/**
 * Position of each prompt's end of text, where the text tower is read out: the first match of
 * the config's eos_token_id, or the first largest id for the legacy value 2
 * (transformers, modeling_clip.py).
 *
 * @throws PeruError 'mismatch' when a prompt has no such token
 */
export function endOfTextPositions(tokens: TokenBatch, text: TextConfig): Int32Array {
  const { count, tokenCount, ids } = tokens;
  return Int32Array.from({ length: count }, (_, row) => {
    const prompt = ids.subarray(row * tokenCount, (row + 1) * tokenCount);
    const id = text.endOfTextId === LEGACY_END_OF_TEXT_ID ? largest(prompt) : text.endOfTextId;
    const position = prompt.indexOf(id);
    if (position < 0) throw noEndOfText(id);
    return position;
  });
}

/**
 * Cuts the columns after the last end of text: the text tower is causal, so nothing after it is
 * ever seen, and prompts are much shorter than the context.
 *
 * @param step the token count is rounded up to a multiple of it, as far as there are tokens
 */
export function trimTokens(tokens: TokenBatch, positions: Int32Array, step: number): TokenBatch {
  const needed = positions.reduce((most, position) => Math.max(most, position + 1), 1);
  const tokenCount = Math.min(Math.ceil(needed / step) * step, tokens.tokenCount);
  const ids = new Int32Array(tokens.count * tokenCount);
  for (let row = 0; row < tokens.count; row++) {
    const start = row * tokens.tokenCount;
    ids.set(tokens.ids.subarray(start, start + tokenCount), row * tokenCount);
  }
  return { count: tokens.count, tokenCount, ids };
}

/**
 * @throws PeruError 'unsupported' when the tokenizer is not one the library can build
 */
export function buildTokenizer(tokenizer: object, tokenizerConfig: object): Tokenizer {
  try {
    return new Tokenizer(tokenizer, tokenizerConfig);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new PeruError(
      'unsupported',
      `tokenizer.json cannot be used: ${message}`,
      'Take tokenizer.json and tokenizer_config.json from the same repo as the base model.',
      { cause },
    );
  }
}

function paddingId(tokenizer: Tokenizer, tokenizerConfig: object): number {
  const config: { readonly pad_token?: unknown } = tokenizerConfig;
  const token = tokenText(config.pad_token);
  const id = token === null ? undefined : tokenizer.token_to_id(token);
  if (id !== undefined) return id;
  throw new PeruError(
    'parse',
    `tokenizer_config.json: pad_token is ${JSON.stringify(config.pad_token)}, which is not a token of tokenizer.json.`,
    'Take both files from the same repo as the base model.',
  );
}

/** A special token is written as its text, or as an object with the text as `content`. */
function tokenText(token: unknown): string | null {
  if (typeof token === 'string') return token;
  if (typeof token !== 'object' || token === null || !('content' in token)) return null;
  return typeof token.content === 'string' ? token.content : null;
}

/** Keeps the end-of-text token when a prompt is too long. */
function cut(ids: readonly number[], contextLength: number): readonly number[] {
  if (ids.length <= contextLength) return ids;
  return [...ids.slice(0, contextLength - 1), ids[ids.length - 1]!];
}

function largest(ids: Int32Array): number {
  return ids.reduce((most, id) => Math.max(most, id));
}

function noEndOfText(id: number): PeruError {
  return new PeruError(
    'mismatch',
    `A prompt has no end-of-text token: config.json names id ${id} (text_config.eos_token_id), which tokenizer.json never gives.`,
    'Take config.json and tokenizer.json from the same repo.',
  );
}
