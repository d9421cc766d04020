/** What the graphs need of a T5 repo's config.json, checked; all else is refused by name. */
import { PeruError } from '@/core/errors';
import {
  asObject,
  type Json,
  positive,
  positiveNumber,
  seenModelType,
  unsupportedConfig,
  wrongType,
} from '@/evaluate/runtime/config-json';

/** `relu`: wo(relu(wi x)), T5 v1.0. `gated-gelu`: wo(gelu_new(wi_0 x) * wi_1 x), T5 v1.1 and Flan. */
export type FeedForward = 'relu' | 'gated-gelu';

export interface T5Config {
  readonly vocabularySize: number;
  /** d_model: width of the residual stream. */
  readonly hiddenSize: number;
  readonly headCount: number;
  /** d_kv; heads x head size need not be the hidden size. */
  readonly headSize: number;
  readonly intermediateSize: number;
  readonly encoderLayerCount: number;
  readonly decoderLayerCount: number;
  readonly bucketCount: number;
  /** Tokens; all distances from it on share one bucket. */
  readonly maxDistance: number;
  readonly normEpsilon: number;
  readonly feedForward: FeedForward;
  /** The head is `shared.weight`, and its input is scaled by hiddenSize^-0.5. */
  readonly tiedHead: boolean;
  /** What fills up shorter rows; masked wherever it stands. */
  readonly padId: number;
  /** First token the decoder is given. */
  readonly startId: number;
  /** Tokens that end an answer. */
  readonly endIds: readonly number[];
}

/** Settings of a generation_config.json that bend greedy decoding, and the values that do not. */
const GREEDY: Readonly<Record<string, readonly unknown[]>> = {
  num_beams: [1],
  do_sample: [false],
  repetition_penalty: [1],
  encoder_repetition_penalty: [1],
  no_repeat_ngram_size: [0],
  encoder_no_repeat_ngram_size: [0],
  min_length: [0],
  min_new_tokens: [0],
  guidance_scale: [1],
  penalty_alpha: [0],
  num_beam_groups: [1],
  bad_words_ids: [],
  suppress_tokens: [],
  begin_suppress_tokens: [],
  forced_bos_token_id: [],
  forced_eos_token_id: [],
  sequence_bias: [],
};

/** What transformers derives from feed_forward_proj. */
const FEED_FORWARDS: Readonly<Record<FeedForward, { act: string; gated: boolean }>> = {
  relu: { act: 'relu', gated: false },
  'gated-gelu': { act: 'gelu_new', gated: true },
};

/**
 * Reads the config.json of a T5ForConditionalGeneration and, where the repo has one, its
 * generation_config.json, whose token ids come first. Keys a repo leaves out take transformers'
 * defaults (configuration_t5.py), which are those of T5-small.
 *
 * @throws PeruError 'unsupported' for another kind of model or setting, 'parse' for a value of
 *   the wrong type
 */
export function readT5Config(config: unknown, generationConfig: unknown = null): T5Config {
  const root = asObject(config, 'the file');
  if (root['model_type'] !== 't5') {
    throw unsupported(`model_type is ${seenModelType(root)}, not "t5"`);
  }
  const generation = generationConfig === null ? {} : asObject(generationConfig, 'the file');
  checkGreedy(generation);
  const encoderLayerCount = positive(root, 'num_layers', 6);
  const bucketCount = positive(root, 'relative_attention_num_buckets', 32);
  const maxDistance = positive(root, 'relative_attention_max_distance', 128);
  checkBuckets(bucketCount, maxDistance);
  const ids = { ...root, ...withoutNull(generation) };
  return {
    vocabularySize: positive(root, 'vocab_size', 32128),
    hiddenSize: positive(root, 'd_model', 512),
    headCount: positive(root, 'num_heads', 8),
    headSize: positive(root, 'd_kv', 64),
    intermediateSize: positive(root, 'd_ff', 2048),
    encoderLayerCount,
    decoderLayerCount: positive(root, 'num_decoder_layers', encoderLayerCount),
    bucketCount,
    maxDistance,
    normEpsilon: positiveNumber(root, 'layer_norm_epsilon', 1e-6),
    feedForward: readFeedForward(root),
    tiedHead: flag(root, 'tie_word_embeddings', true),
    padId: tokenId(ids['pad_token_id'] ?? 0, 'pad_token_id'),
    startId: readStart(ids),
    endIds: readEnds(ids),
  };
}

/** Heads x head size: the width of queries, keys and values. */
export function attentionSize(config: T5Config): number {
  return config.headCount * config.headSize;
}

function readFeedForward(root: Json): FeedForward {
  const projection = root['feed_forward_proj'] ?? 'relu';
  if (projection !== 'relu' && projection !== 'gated-gelu') {
    throw unsupported(
      `feed_forward_proj is ${JSON.stringify(projection)}, not "relu" or "gated-gelu"`,
    );
  }
  const { act, gated } = FEED_FORWARDS[projection];
  // transformers lets these two keys override what feed_forward_proj says.
  const seen = [root['dense_act_fn'] ?? act, root['is_gated_act'] ?? gated];
  if (seen[0] !== act || seen[1] !== gated) {
    throw unsupported(
      `feed_forward_proj is "${projection}", but dense_act_fn is ${JSON.stringify(seen[0])} and is_gated_act ${JSON.stringify(seen[1])}`,
    );
  }
  return projection;
}

/** Else the logarithmic half of the buckets (t5-positions.ts) is empty or does not rise. */
function checkBuckets(bucketCount: number, maxDistance: number): void {
  if (bucketCount >= 4 && maxDistance > Math.floor(bucketCount / 2)) return;
  throw unsupported(
    `relative_attention_num_buckets is ${bucketCount} (at least 4 are needed) and relative_attention_max_distance ${maxDistance} (more than half the buckets is needed)`,
  );
}

function checkGreedy(generation: Json): void {
  for (const [name, neutral] of Object.entries(GREEDY)) {
    const value = generation[name] ?? null;
    if (value === null || neutral.includes(value)) continue;
    throw new PeruError(
      'unsupported',
      `generation_config.json: ${name} is ${JSON.stringify(value)}, but Peru decodes greedily, without it.`,
      'Remove the setting from generation_config.json, or the file, to score greedy answers.',
    );
  }
}

function readStart(ids: Json): number {
  const id = ids['decoder_start_token_id'] ?? ids['bos_token_id'];
  if (id === undefined || id === null) throw unsupported('decoder_start_token_id is missing');
  return tokenId(id, 'decoder_start_token_id');
}

function readEnds(ids: Json): readonly number[] {
  const value = ids['eos_token_id'] ?? 1;
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.map((id) => tokenId(id, 'eos_token_id'));
}

function tokenId(value: unknown, key: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw wrongType(key, value);
}

function flag(json: Json, key: string, fallback: boolean): boolean {
  const value = json[key] ?? fallback;
  if (typeof value !== 'boolean') throw wrongType(key, value);
  return value;
}

function withoutNull(json: Json): Json {
  return Object.fromEntries(Object.entries(json).filter(([, value]) => value !== null));
}

function unsupported(reason: string): PeruError {
  return unsupportedConfig(reason, 'a T5 model');
}
