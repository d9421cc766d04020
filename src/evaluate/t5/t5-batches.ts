/** Prompts into batches of like length, and what a batch feeds to T5's graphs. Pure. */
import { laterHidden, paddingHidden, relativeBuckets } from './t5-positions';
import { attentionSize, type T5Config } from './t5-config';
import { type FeedData } from '@/evaluate/runtime/session';

/** Prompts that are encoded and answered together, padded to the longest. */
export interface PromptBatch {
  /** Places of the batch's rows in the list that was cut into batches. */
  readonly rows: readonly number[];
  /** Tokens of each row. */
  readonly lengths: readonly number[];
  readonly tokenCount: number;
  /** [rows, tokenCount] */
  readonly ids: Int32Array;
}

/** More gain little on a CPU and make cancelling wait. */
const MAX_ROWS = 64;
/** Bytes of a batch's widest activations and of what the decoder sees of it. */
const MAX_BATCH_BYTES = 2 ** 28;

/**
 * Cuts prompts, shortest first, into batches, so that little is spent on padding.
 *
 * @param inputs token ids of each prompt
 */
export function batchByLength(inputs: readonly Int32Array[], config: T5Config): PromptBatch[] {
  const order = [...inputs.keys()].sort((a, b) => inputs[a]!.length - inputs[b]!.length || a - b);
  const batches: PromptBatch[] = [];
  let rows: number[] = [];
  for (const row of order) {
    const bytes = (rows.length + 1) * bytesPerRow(inputs[row]!.length, config);
    if (rows.length === MAX_ROWS || (rows.length > 0 && bytes > MAX_BATCH_BYTES)) {
      batches.push(toBatch(rows, inputs, config));
      rows = [];
    }
    rows.push(row);
  }
  if (rows.length > 0) batches.push(toBatch(rows, inputs, config));
  return batches;
}

/** What the encoder's graph takes beside weights. */
export function encoderFeeds(batch: PromptBatch, config: T5Config): Map<string, FeedData> {
  const { ids, lengths, tokenCount } = batch;
  const count = lengths.length;
  const square = [tokenCount, tokenCount];
  return new Map<string, FeedData>([
    ['input_ids', { shape: [count, tokenCount], data: ids }],
    ['buckets', { shape: square, data: relativeBuckets(tokenCount, 'encoder', config) }],
    [
      'padding_mask',
      { shape: [count, 1, 1, tokenCount], data: paddingHidden(lengths, 1, tokenCount) },
    ],
  ]);
}

/**
 * What the decoder's graph takes beside weights and the encoder's outputs.
 *
 * @param answers [rows, answerLength] ids so far, the start token first
 */
export function decoderFeeds(
  batch: PromptBatch,
  answers: Int32Array,
  config: T5Config,
): Map<string, FeedData> {
  const { lengths, tokenCount } = batch;
  const count = lengths.length;
  const length = answers.length / count;
  return new Map<string, FeedData>([
    ['answer_ids', { shape: [count, length], data: answers }],
    ['buckets', { shape: [length, length], data: relativeBuckets(length, 'decoder', config) }],
    ['later_mask', { shape: [1, 1, length, length], data: laterHidden(length) }],
    [
      'padding_mask',
      {
        shape: [count, 1, length, tokenCount],
        data: paddingHidden(lengths, length, tokenCount),
      },
    ],
  ]);
}

function toBatch(
  rows: readonly number[],
  inputs: readonly Int32Array[],
  config: T5Config,
): PromptBatch {
  const lengths = rows.map((row) => inputs[row]!.length);
  const tokenCount = Math.max(...lengths);
  const ids = new Int32Array(rows.length * tokenCount).fill(config.padId);
  for (const [i, row] of rows.entries()) ids.set(inputs[row]!, i * tokenCount);
  return { rows, lengths, tokenCount, ids };
}

function bytesPerRow(tokenCount: number, config: T5Config): number {
  const { intermediateSize, headCount, decoderLayerCount, vocabularySize } = config;
  const sources = tokenCount * attentionSize(config) * 2 * decoderLayerCount;
  // Two of them at once: both halves of a gated feed-forward, scores and their softmax.
  const widest = tokenCount * Math.max(intermediateSize, headCount * tokenCount) * 2;
  return 4 * (sources + widest + vocabularySize);
}
