/** Scores vision models on image classification: CLIP with a head made from class names. */
import {
  type ClipEvaluator,
  createClipEvaluator,
  type PixelBatch,
} from '@/evaluate/clip/clip-evaluator';
import { type Outcome } from '@/evaluate/runtime/outcome';
import { openWeights } from '@/formats/checkpoint/checkpoint-source';
import { type ModelWeights } from '@/tensor/engine';
import { Ahead } from './ahead';
import { baseReader } from './base-reader';
import {
  type EvaluatorFamily,
  type ModelParts,
  openGroupScorer,
  type OpenScorer,
} from './evaluator-family';
import { type RowRange, scoresAtOnce, type SplitScorer } from './group-scorer';
import { OnceMap } from './once-map';
import { readRepoJson } from './repo-json';
import { type ImageSplit } from './tests';

/** Rows decoded at a time: the first are scored while the rest still wait. */
const BLOCK_ROWS = 128;

/** Pixels kept from one sweep over the models to the next, in bytes: 512 images of CLIP's size fit. */
const KEPT_PIXEL_BYTES = 400_000_000;

export const openClipScorer: OpenScorer<'zero-shot'> = (tests, parts) =>
  openGroupScorer(
    tests,
    parts,
    openClip(parts),
    (clip, splits) => new ClipScorer(clip, splits, scoresAtOnce(parts.provider)),
  );

export const clip: EvaluatorFamily = {
  title: 'CLIP',
  modelType: 'clip',
  // A vision tower alone is a CLIP's, too; it is refused for the text tower that it lacks.
  recognises: ({ model_type: type }) => type === 'clip' || type === 'clip_vision_model',
  opens: { 'zero-shot': openClipScorer },
};

/** Every task's images, decoded in blocks, and the zero-shot heads that all models share, made once. */
class ClipScorer implements SplitScorer<ImageSplit> {
  readonly modelWeights: readonly string[];
  readonly #clip: ClipEvaluator;
  readonly #splits: readonly (ImageSplit | null)[];
  readonly #atOnce: number;
  readonly #heads = new OnceMap<ImageSplit, Float32Array>();
  #headsMade = 0;
  readonly #blocks = new OnceMap<string, Block>();
  /** Of the blocks made, least recently used first. */
  readonly #keptBytes = new Map<string, number>();

  /** @param atOnce blocks that may be asked for at once */
  constructor(clip: ClipEvaluator, splits: readonly (ImageSplit | null)[], atOnce: number) {
    this.#clip = clip;
    this.#atOnce = atOnce;
    this.#splits = splits;
    this.modelWeights = clip.modelWeights;
  }

  get gpuBytes(): number {
    return this.#clip.gpuBytes;
  }

  answersOf({ dataset }: ImageSplit) {
    return { classCount: dataset.classNames.length, metric: 'accuracy' as const };
  }

  async prepare(split: ImageSplit, from: number, signal: AbortSignal): Promise<void> {
    const first = from - (from % BLOCK_ROWS);
    const block = first < split.dataset.rowCount ? this.#block(split, first, signal) : null;
    await Promise.all([block, this.#clip.headsDiffer ? null : this.#sharedHead(split, signal)]);
  }

  async score(
    split: ImageSplit,
    weights: ModelWeights,
    { from, to, signal }: RowRange,
  ): Promise<Outcome> {
    const head = await this.#headOf(split, weights, signal);
    const starts: number[] = [];
    for (let at = from - (from % BLOCK_ROWS); at < to; at += BLOCK_ROWS) starts.push(at);
    let correct = 0;
    const blocks = new Ahead(this.#atOnce);
    for (const start of starts) {
      // Decoded while the one before is scored.
      const decoded = this.#block(split, start, signal);
      decoded.catch(() => undefined);
      await blocks.room();
      const block = await decoded;
      const { count } = block.pixels;
      const range = { from: Math.max(from - start, 0), to: Math.min(to - start, count), signal };
      blocks.begin(async () => {
        const predicted = await this.#clip.predict({ weights, head, ...block, ...range });
        // Blocks end at once: read only after the wait, or what others added is lost.
        correct += predicted.correct;
      });
    }
    await blocks.end();
    return { metric: 'accuracy', correct, n: to - from };
  }

  async #block(split: ImageSplit, start: number, signal: AbortSignal): Promise<Block> {
    const key = `${this.#splits.indexOf(split)}|${start}`;
    const block = await this.#blocks.get(key, signal, () => this.#decode(split, start));
    this.#use(key, block);
    return block;
  }

  dispose(): void {
    this.#clip.dispose();
  }

  async #headOf(
    split: ImageSplit,
    weights: ModelWeights,
    signal: AbortSignal,
  ): Promise<Float32Array> {
    if (this.#clip.headsDiffer) {
      const { dataset, templates } = split;
      // Waited for to its end: the weights go once the job is over.
      return this.#clip.zeroShotHead(dataset.classNames, templates, { weights, signal });
    }
    return this.#sharedHead(split, signal);
  }

  #sharedHead(split: ImageSplit, signal: AbortSignal): Promise<Float32Array> {
    return this.#heads.get(split, signal, () => this.#makeHead(split));
  }

  /** With the last head made, the text tower has done its work and its weights may go. */
  async #makeHead({ dataset, templates }: ImageSplit): Promise<Float32Array> {
    const head = await this.#clip.zeroShotHead(dataset.classNames, templates);
    this.#headsMade += 1;
    const scored = this.#splits.filter((split) => split !== null).length;
    if (this.#headsMade === scored) this.#clip.releaseText();
    return head;
  }

  /** The block used longest ago goes first; it is decoded again when it is scored again. */
  #use(key: string, { pixels }: Block): void {
    this.#keptBytes.delete(key);
    this.#keptBytes.set(key, pixels.data.byteLength);
    let total = 0;
    for (const bytes of this.#keptBytes.values()) total += bytes;
    for (const [old, bytes] of this.#keptBytes) {
      if (total <= KEPT_PIXEL_BYTES || old === key) return;
      total -= bytes;
      this.#keptBytes.delete(old);
      this.#blocks.forget(old);
    }
  }

  async #decode({ dataset }: ImageSplit, start: number): Promise<Block> {
    const rows = await dataset.readRows(start, Math.min(start + BLOCK_ROWS, dataset.rowCount));
    const pixels = await this.#clip.preprocess(rows.map(({ bytes }) => bytes));
    return { pixels, labels: rows.map(({ label }) => label) };
  }
}

interface Block {
  readonly pixels: PixelBatch;
  readonly labels: readonly number[];
}

async function openClip({
  base,
  config,
  provider,
  changed,
  options,
}: ModelParts): Promise<ClipEvaluator> {
  const [preprocessor, tokenizer, tokenizerConfig, weights] = await Promise.all([
    readRepoJson(base, 'preprocessor_config.json', options),
    readRepoJson(base, 'tokenizer.json', options),
    readRepoJson(base, 'tokenizer_config.json', options),
    openWeights(base, options),
  ]);
  const clip = createClipEvaluator({
    config,
    preprocessor,
    tokenizer,
    tokenizerConfig,
    provider,
    changed,
    baseTensors: baseReader(weights),
  });
  await clip.warmUp();
  return clip;
}
