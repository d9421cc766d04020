/** Scores a group's models on the data sets of its tasks, or says why it can not. */
import {
  type ClipEvaluator,
  createClipEvaluator,
  type PixelBatch,
  type Provider,
} from '@/evaluate/clip-evaluator';
import { threadCount } from '@/evaluate/session';
import {
  type CheckpointSource,
  type OpenOptions,
  openRequired,
  openWeights,
} from '@/sources/checkpoint-source';
import { type ImageDataset, openImageDataset } from '@/sources/dataset';
import { JSON_CAPS, readJsonObject } from '@/sources/json-file';
import { splitPath } from '@/sources/zoo';
import { isFloatDtype } from '@/tensor/dtype';
import { type ModelWeights } from '@/tensor/engine';
import { PeruError } from '@/tensor/errors';
import { decodeFloats } from '@/tensor/half';
import { readRange } from '@/tensor/safetensors';
import { type ChosenEngine } from './choose-engine';
import { type GroupSources, type TaskSource } from './group-sources';

/** Rows decoded at a time: the first are scored while the rest still wait. */
const BLOCK_ROWS = 128;

export interface RowRange {
  readonly from: number;
  readonly to: number;
  readonly signal: AbortSignal;
}

/** A group's evaluator, what it is called, and why there is none where there is none. */
export interface Scoring {
  readonly evaluator: GroupEvaluator | null;
  readonly description: string;
  readonly noAccuracyBecause: string | null;
}

/**
 * Readies the evaluator of a group whose tasks bring data sets.
 *
 * @throws PeruError when files the group names are missing or broken; a base that Peru can not
 *   evaluate is no error but a reason
 */
export async function openEvaluator(
  sources: GroupSources,
  { engine, device }: ChosenEngine,
  options: OpenOptions,
): Promise<Scoring> {
  const scored = sources.tasks.flatMap((task) => (task.scoredOn === null ? [] : [task.scoredOn]));
  if (scored.length < sources.tasks.length) {
    return unscored('files from your disk bring no data set that Peru could score them on');
  }
  // A software adapter computes a transformer about 150 times slower than wasm does.
  const shared = device !== null && !engine.adapter.fallback;
  const provider: Provider = shared ? { kind: 'webgpu', device } : { kind: 'wasm' };
  try {
    const [clip, tasks] = await Promise.all([
      openClip(sources.base, provider, options),
      Promise.all(scored.map((one) => openTestSplit(one, options))),
    ]);
    const evaluator = new GroupEvaluator(clip, tasks, provider);
    return { evaluator, description: describe(provider), noAccuracyBecause: null };
  } catch (error) {
    if (error instanceof PeruError && error.kind === 'unsupported') return unscored(error.message);
    throw error;
  }
}

function unscored(reason: string): Scoring {
  return { evaluator: null, description: 'nothing to evaluate', noAccuracyBecause: reason };
}

function describe(provider: Provider): string {
  if (provider.kind === 'webgpu') return 'onnxruntime on the same GPU';
  const threads = threadCount();
  return `onnxruntime wasm, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
}

/** A task's test split and the words its classes are put into. */
interface ScoredTask {
  readonly dataset: ImageDataset;
  readonly templates: readonly string[];
}

/** Every task's test rows, decoded once, and the zero-shot heads, made once. */
export class GroupEvaluator {
  /** In the order of the tasks. */
  readonly tasks: readonly ScoredTask[];
  /** Where weights must lie to be scored. */
  readonly location: 'cpu' | 'gpu';
  readonly #clip: ClipEvaluator;
  readonly #heads = new Map<ScoredTask, Promise<Float32Array>>();
  readonly #blocks = new Map<string, Promise<Block>>();

  constructor(clip: ClipEvaluator, tasks: readonly ScoredTask[], provider: Provider) {
    this.#clip = clip;
    this.tasks = tasks;
    this.location = provider.kind === 'webgpu' ? 'gpu' : 'cpu';
  }

  /** Scores rows [from, to) of a task's test split with one model. */
  async countCorrect(
    taskIndex: number,
    weights: ModelWeights,
    { from, to, signal }: RowRange,
  ): Promise<{ correct: number; n: number }> {
    const task = this.tasks[taskIndex];
    if (task === undefined) throw new RangeError(`There is no task ${taskIndex}.`);
    const head = await once(this.#heads, task, () =>
      this.#clip.zeroShotHead(task.dataset.classNames, task.templates),
    );
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
    return { correct, n: to - from };
  }

  dispose(): void {
    this.#clip.dispose();
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

/** The value under a key, made on first use; a failure is not kept. */
function once<Key, Value>(
  made: Map<Key, Promise<Value>>,
  key: Key,
  make: () => Promise<Value>,
): Promise<Value> {
  const known = made.get(key);
  if (known !== undefined) return known;
  const making = make();
  made.set(key, making);
  making.catch(() => made.delete(key));
  return making;
}

async function openTestSplit(
  { repo, templates }: NonNullable<TaskSource['scoredOn']>,
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
  const readJson = async (path: string, cap: number): Promise<object> =>
    readJsonObject(await openRequired(base, path, options), `${base.name}/${path}`, cap);
  const [config, preprocessor, tokenizer, tokenizerConfig, weights] = await Promise.all([
    readJson('config.json', JSON_CAPS.config),
    readJson('preprocessor_config.json', JSON_CAPS.config),
    readJson('tokenizer.json', JSON_CAPS.tokenizer),
    readJson('tokenizer_config.json', JSON_CAPS.tokenizer),
    openWeights(base, options),
  ]);
  const clip = createClipEvaluator({
    config,
    preprocessor,
    tokenizer,
    tokenizerConfig,
    provider,
    baseTensors: async (name) => {
      const tensor = weights.tensors.get(name);
      if (tensor === undefined || !isFloatDtype(tensor.dtype)) {
        throw new PeruError(
          'mismatch',
          `${base.name} has no floating tensor "${name}", which its config.json calls for.`,
          'Use the complete base model, with its text tower and projections.',
        );
      }
      const { blob, byteStart, byteLength, shape, dtype, fileName } = tensor;
      const bytes = await readRange(blob, byteStart, byteStart + byteLength, fileName);
      return { shape, data: decodeFloats(bytes, dtype) };
    },
  });
  await clip.warmUp();
  return clip;
}
