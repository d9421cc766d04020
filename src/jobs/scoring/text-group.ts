/** Scores text models on questions answered in words: T5, greedy decoding, exact match. */
import { type Provider } from '@/evaluate/runtime/session';
import { createT5Evaluator, type T5Evaluator } from '@/evaluate/t5/t5-evaluator';
import { scoreAnswers } from '@/evaluate/t5/text-task';
import { type Outcome } from '@/evaluate/runtime/outcome';
import { type CheckpointSource, type OpenOptions } from '@/formats/checkpoint/checkpoint-source';
import { type TextDataset } from '@/datasets/text-dataset';
import { type ModelWeights } from '@/tensor/engine';
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
import { readOptionalJson, readRepoJson } from './repo-json';
import { type TextTest } from './tests';

/**
 * Readies the graphs and opens every task's test split.
 *
 * @throws PeruError 'unsupported' for a base that is no T5 Peru can score, others for files that
 *   are missing or broken
 */
export async function openTextGroup(
  base: CheckpointSource,
  tests: readonly (TextTest | null)[],
  provider: Provider,
  options: OpenOptions,
): Promise<GroupEvaluator> {
  const firstRow = (dataset: TextDataset): Promise<unknown> => dataset.readRows(0, 1);
  const [t5, opened] = await Promise.all([
    openT5(base, provider, options),
    openSplits(tests, firstRow, options),
  ]);
  return new TextGroup(t5, tests, opened, provider);
}

interface ScoredTask {
  readonly test: TextTest;
  readonly dataset: TextDataset;
}

/** Every task's rows, read and put into tokens once. */
class TextGroup implements GroupEvaluator {
  readonly splits: readonly (SplitFacts | null)[];
  readonly unscoredBecause: GroupEvaluator['unscoredBecause'];
  readonly location: GroupEvaluator['location'];
  readonly modelWeights: readonly string[];
  readonly #tasks: readonly (ScoredTask | null)[];
  readonly #t5: T5Evaluator;
  readonly #rows = new Map<ScoredTask, Promise<Rows>>();

  constructor(
    t5: T5Evaluator,
    tests: readonly (TextTest | null)[],
    opened: OpenSplits<TextDataset>,
    provider: Provider,
  ) {
    this.#t5 = t5;
    this.unscoredBecause = opened.unscoredBecause;
    this.#tasks = tests.map((test, i) => {
      const dataset = opened.splits[i] ?? null;
      return test === null || dataset === null ? null : { test, dataset };
    });
    this.splits = this.#tasks.map((task): SplitFacts | null => {
      if (task === null) return null;
      const { name, metric } = task.test;
      const { classCount } = task.dataset;
      return { name, ...rowCounts(task.dataset), rowKind: 'text', classCount, metric };
    });
    this.location = locationOf(provider);
    this.modelWeights = t5.modelWeights;
  }

  get gpuBytes(): number {
    return this.#t5.gpuBytes;
  }

  async score(
    taskIndex: number,
    weights: ModelWeights,
    { from, to, signal }: RowRange,
  ): Promise<Outcome> {
    const task = this.#tasks[taskIndex];
    if (!task) throw new RangeError(`There is no task ${taskIndex} to score.`);
    const read = once(this.#rows, task, () => this.#read(task));
    const rows = await whileJobLasts(read, signal);
    const { maxNewTokens, metric, answers } = task.test;
    const inputs = rows.tokens.slice(from, to);
    const texts = await this.#t5.generate({ weights, inputs, maxNewTokens, signal });
    return scoreAnswers(texts, rows.labels.slice(from, to), { metric, answers });
  }

  dispose(): void {
    this.#t5.dispose();
  }

  async #read({ dataset }: ScoredTask): Promise<Rows> {
    const rows = await dataset.readRows(0, dataset.rowCount);
    const tokens = this.#t5.tokenize(rows.map(({ prompt }) => prompt));
    return { tokens, labels: rows.map(({ label }) => label) };
  }
}

interface Rows {
  readonly tokens: readonly Int32Array[];
  readonly labels: readonly number[];
}

async function openT5(
  base: CheckpointSource,
  provider: Provider,
  options: OpenOptions,
): Promise<T5Evaluator> {
  const [config, generationConfig, tokenizer, tokenizerConfig] = await Promise.all([
    readRepoJson(base, 'config.json', options),
    readOptionalJson(base, 'generation_config.json', options),
    readRepoJson(base, 'tokenizer.json', options),
    readRepoJson(base, 'tokenizer_config.json', options),
  ]);
  const settings = generationConfig === null ? { config } : { config, generationConfig };
  const t5 = createT5Evaluator({ ...settings, tokenizer, tokenizerConfig, provider });
  await t5.warmUp();
  return t5;
}
