/** Scores vision models on image classification: CLIP with a head made from class names. */
import {
  type ClipEvaluator,
  createClipEvaluator,
  type PixelBatch,
} from '@/evaluate/clip-evaluator';
import { type Provider } from '@/evaluate/session';
import {
  type CheckpointSource,
  type OpenOptions,
  openRequired,
  openWeights,
} from '@/sources/checkpoint-source';
import { type ImageDataset, openImageDataset } from '@/sources/dataset';
import { splitPath } from '@/sources/zoo';
import { type ModelWeights } from '@/tensor/engine';
import { type ImageTest } from '@/worker/group-sources';
import { readFloatTensor } from '@/worker/read-tensor';
import { type GroupEvaluator, locationOf, type RowRange, type SplitFacts } from './group-evaluator';
import { once } from './once';
import { type Outcome } from '@/evaluate/outcome';
import { readRepoJson } from './repo-json';

/** Rows decoded at a time: the first are scored while the rest still wait. */
const BLOCK_ROWS = 128;

/** A task's test split and the words its classes are put into. */
interface ScoredTask {
  readonly dataset: ImageDataset;
  readonly templates: readonly string[];
}

/**
 * Readies the graphs and opens every task's test split.
 *
 * @throws PeruError 'unsupported' for a base that is no CLIP Peru can score, others for files
 *   that are missing or broken
 */
export async function openClipGroup(
  base: CheckpointSource,
  tests: readonly ImageTest[],
  provider: Provider,
  options: OpenOptions,
): Promise<GroupEvaluator> {
  const [clip, tasks] = await Promise.all([
    openClip(base, provider, options),
    Promise.all(tests.map((one) => openTestSplit(one, options))),
  ]);
  return new ClipGroup(clip, tasks, provider);
}

/** Every task's test rows, decoded once, and the zero-shot heads, made once. */
class ClipGroup implements GroupEvaluator {
  readonly splits: readonly SplitFacts[];
  readonly location: GroupEvaluator['location'];
  readonly #tasks: readonly ScoredTask[];
  readonly #clip: ClipEvaluator;
  readonly #heads = new Map<ScoredTask, Promise<Float32Array>>();
  #headsMade = 0;
  readonly #blocks = new Map<string, Promise<Block>>();

  constructor(clip: ClipEvaluator, tasks: readonly ScoredTask[], provider: Provider) {
    this.#clip = clip;
    this.#tasks = tasks;
    this.splits = tasks.map(({ dataset: { name, rowCount, classNames } }) => {
      return {
        name,
        rowCount,
        rowKind: 'image',
        classCount: classNames.length,
        metric: 'accuracy',
      };
    });
    this.location = locationOf(provider);
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
    if (task === undefined) throw new RangeError(`There is no task ${taskIndex}.`);
    const head = await once(this.#heads, task, () => this.#makeHead(task));
    let correct = 0;
    for (let row = from; row < to;) {
      const index = Math.floor(row / BLOCK_ROWS);
      const start = index * BLOCK_ROWS;
      const key = `${taskIndex}|${index}`;
      const block = await once(this.#blocks, key, () => this.#decode(task, start));
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

  /** With the last head made, the text tower has done its work and its weights may go. */
  async #makeHead({ dataset, templates }: ScoredTask): Promise<Float32Array> {
    const head = await this.#clip.zeroShotHead(dataset.classNames, templates);
    this.#headsMade += 1;
    if (this.#headsMade === this.#tasks.length) this.#clip.releaseText();
    return head;
  }

  async #decode({ dataset }: ScoredTask, start: number): Promise<Block> {
    const rows = await dataset.readRows(start, Math.min(start + BLOCK_ROWS, dataset.rowCount));
    const pixels = await this.#clip.preprocess(rows.map(({ bytes }) => bytes));
    return { pixels, labels: rows.map(({ label }) => label) };
  }
}

interface Block {
  readonly pixels: PixelBatch;
  readonly labels: readonly number[];
}

async function openTestSplit(
  { repo, templates }: ImageTest,
  options: OpenOptions,
): Promise<ScoredTask> {
  const path = splitPath('test');
  const blob = await openRequired(repo, path, options);
  return { dataset: await openImageDataset(blob, `${repo.id}/${path}`), templates };
}

async function openClip(
  base: CheckpointSource,
  provider: Provider,
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
    baseTensors: (name) => readFloatTensor(weights, name),
  });
  await clip.warmUp();
  return clip;
}
