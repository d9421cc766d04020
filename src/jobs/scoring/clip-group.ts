/** Scores vision models on image classification: CLIP with a head made from class names. */
import {
  type ClipEvaluator,
  createClipEvaluator,
  type PixelBatch,
} from '@/evaluate/clip/clip-evaluator';
import { type Provider } from '@/evaluate/runtime/session';
import { type Outcome } from '@/evaluate/runtime/outcome';
import {
  type CheckpointSource,
  type OpenOptions,
  openWeights,
} from '@/formats/checkpoint/checkpoint-source';
import { type ModelWeights } from '@/tensor/engine';
import { baseReader } from './base-reader';
import {
  type GroupEvaluator,
  locationOf,
  rowCounts,
  type RowRange,
  type SplitFacts,
  whileJobLasts,
} from './group-evaluator';
import { once } from './once';
import { openSplits, type OpenSplits } from './open-splits';
import { readRepoJson } from './repo-json';
import { type ImageSplit, type ImageTest } from './tests';

/** Rows decoded at a time: the first are scored while the rest still wait. */
const BLOCK_ROWS = 128;

/** Pixels kept from one sweep over the columns to the next, in bytes: 512 images of CLIP's size fit. */
const KEPT_PIXEL_BYTES = 400_000_000;

/**
 * Readies the graphs and opens every task's test split.
 *
 * @param changed names of tensors, as in the base, that the group's models may change
 * @throws PeruError 'unsupported' for a base that is no CLIP Peru can score, others for files
 *   that are missing or broken
 */
export async function openClipGroup(
  base: CheckpointSource,
  tests: readonly (ImageTest | null)[],
  provider: Provider,
  changed: ReadonlySet<string>,
  options: OpenOptions,
): Promise<GroupEvaluator> {
  const firstRow = ({ dataset }: ImageSplit): Promise<unknown> => dataset.readRows(0, 1);
  const [clip, tasks] = await Promise.all([
    openClip(base, provider, changed, options),
    openSplits(tests, firstRow, options),
  ]);
  return new ClipGroup(clip, tasks, provider);
}

/** Every task's test rows, and the zero-shot heads that all models share, made once. */
class ClipGroup implements GroupEvaluator {
  readonly splits: readonly (SplitFacts | null)[];
  readonly unscoredBecause: GroupEvaluator['unscoredBecause'];
  readonly location: GroupEvaluator['location'];
  readonly modelWeights: readonly string[];
  readonly #tasks: readonly (ImageSplit | null)[];
  readonly #clip: ClipEvaluator;
  readonly #heads = new Map<ImageSplit, Promise<Float32Array>>();
  #headsMade = 0;
  readonly #blocks = new Map<string, Promise<Block>>();
  /** Of the blocks made, least recently used first. */
  readonly #keptBytes = new Map<string, number>();

  constructor(clip: ClipEvaluator, tasks: OpenSplits<ImageSplit>, provider: Provider) {
    this.#clip = clip;
    this.#tasks = tasks.splits;
    this.unscoredBecause = tasks.unscoredBecause;
    this.splits = this.#tasks.map((task): SplitFacts | null => {
      if (task === null) return null;
      const { name, classNames } = task.dataset;
      const classCount = classNames.length;
      const counts = rowCounts(task.dataset);
      return { name, ...counts, rowKind: 'image', classCount, metric: 'accuracy' };
    });
    this.location = locationOf(provider);
    this.modelWeights = clip.modelWeights;
  }

  get gpuBytes(): number {
    return this.#clip.gpuBytes;
  }

  async score(
    taskIndex: number,
    weights: ModelWeights,
    { from, to, signal }: RowRange,
  ): Promise<Outcome> {
    const task = this.#tasks[taskIndex];
    if (!task) throw new RangeError(`There is no task ${taskIndex} to score.`);
    const head = await this.#headOf(task, weights, signal);
    let correct = 0;
    for (let row = from; row < to;) {
      const index = Math.floor(row / BLOCK_ROWS);
      const start = index * BLOCK_ROWS;
      const key = `${taskIndex}|${index}`;
      const decoded = once(this.#blocks, key, () => this.#decode(task, start));
      const block = await whileJobLasts(decoded, signal);
      this.#use(key, block);
      const end = Math.min(to, start + block.pixels.count);
      const range = { from: row - start, to: end - start, signal };
      correct += (await this.#clip.predict({ weights, head, ...block, ...range })).correct;
      row = end;
    }
    return { metric: 'accuracy', correct, n: to - from };
  }

  dispose(): void {
    this.#clip.dispose();
  }

  async #headOf(
    task: ImageSplit,
    weights: ModelWeights,
    signal: AbortSignal,
  ): Promise<Float32Array> {
    if (this.#clip.headsDiffer) {
      const { dataset, templates } = task;
      // Waited for to its end: the weights go once the job is over.
      return this.#clip.zeroShotHead(dataset.classNames, templates, { weights, signal });
    }
    const made = once(this.#heads, task, () => this.#makeHead(task));
    return whileJobLasts(made, signal);
  }

  /** With the last head made, the text tower has done its work and its weights may go. */
  async #makeHead({ dataset, templates }: ImageSplit): Promise<Float32Array> {
    const head = await this.#clip.zeroShotHead(dataset.classNames, templates);
    this.#headsMade += 1;
    const scored = this.#tasks.filter((task) => task !== null).length;
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
      this.#blocks.delete(old);
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

async function openClip(
  base: CheckpointSource,
  provider: Provider,
  changed: ReadonlySet<string>,
  options: OpenOptions,
): Promise<ClipEvaluator> {
  const [config, preprocessor, tokenizer, tokenizerConfig, weights] = await Promise.all([
    readRepoJson(base, 'config.json', options),
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
