/** Scores text models on questions answered in words: T5, greedy decoding, exact match. */
import { type Provider } from '@/evaluate/session';
import { createT5Evaluator, type T5Evaluator } from '@/evaluate/t5-evaluator';
import { scoreAnswers } from '@/evaluate/text-task';
import { type CheckpointSource, type OpenOptions, openRequired } from '@/sources/checkpoint-source';
import { openTextDataset, type TextDataset } from '@/sources/text-dataset';
import { splitPath } from '@/sources/zoo';
import { type ModelWeights } from '@/tensor/engine';
import { type TextTest } from '@/worker/group-sources';
import { type GroupEvaluator, locationOf, type RowRange, type SplitFacts } from './group-evaluator';
import { once } from './once';
import { type Outcome } from '@/evaluate/outcome';
import { readOptionalJson, readRepoJson } from './repo-json';

interface ScoredTask {
  readonly test: TextTest;
  readonly dataset: TextDataset;
}

/**
 * Readies the graphs and opens every task's test split.
 *
 * @throws PeruError 'unsupported' for a base that is no T5 Peru can score, others for files that
 *   are missing or broken
 */
export async function openTextGroup(
  base: CheckpointSource,
  tests: readonly TextTest[],
  provider: Provider,
  options: OpenOptions,
): Promise<GroupEvaluator> {
  const [t5, tasks] = await Promise.all([
    openT5(base, provider, options),
    Promise.all(tests.map((one) => openTestSplit(one, options))),
  ]);
  return new TextGroup(t5, tasks, provider);
}

/** Every task's rows, read and put into tokens once. */
class TextGroup implements GroupEvaluator {
  readonly splits: readonly SplitFacts[];
  readonly location: GroupEvaluator['location'];
  readonly #tasks: readonly ScoredTask[];
  readonly #t5: T5Evaluator;
  readonly #rows = new Map<ScoredTask, Promise<Rows>>();

  constructor(t5: T5Evaluator, tasks: readonly ScoredTask[], provider: Provider) {
    this.#t5 = t5;
    this.#tasks = tasks;
    this.splits = tasks.map(({ test, dataset: { rowCount, classCount } }) => {
      const { metric } = test;
      return { name: test.repo.name, rowCount, rowKind: 'text', classCount, metric };
    });
    this.location = locationOf(provider);
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
    if (task === undefined) throw new RangeError(`There is no task ${taskIndex}.`);
    const rows = await once(this.#rows, task, () => this.#read(task));
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

async function openTestSplit(test: TextTest, options: OpenOptions): Promise<ScoredTask> {
  const path = splitPath('test');
  const { repo, prompt, answers } = test;
  const blob = await openRequired(repo, path, options);
  return { test, dataset: await openTextDataset(blob, `${repo.id}/${path}`, { prompt, answers }) };
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
