/** Scores text models on questions answered in words: T5, greedy decoding, exact match. */
import { createT5Evaluator, type T5Evaluator } from '@/evaluate/t5/t5-evaluator';
import { scoreAnswers } from '@/evaluate/t5/text-task';
import { type Outcome } from '@/evaluate/runtime/outcome';
import { type ModelWeights } from '@/tensor/engine';
import {
  type EvaluatorFamily,
  type ModelParts,
  openGroupScorer,
  type OpenScorer,
} from './evaluator-family';
import { type RowRange, type SplitScorer } from './group-scorer';
import { OnceMap } from './once-map';
import { readOptionalJson, readRepoJson } from './repo-json';
import { type TextSplit } from './tests';

const openTextScorer: OpenScorer<'answers'> = (tests, parts) =>
  openGroupScorer(tests, parts, openT5(parts), (t5) => new TextScorer(t5));

export const t5: EvaluatorFamily = {
  title: 'T5',
  modelType: 't5',
  recognises: ({ model_type: type }) => type === 't5',
  opens: { answers: openTextScorer },
};

/** Every task's rows, read and put into tokens once. */
class TextScorer implements SplitScorer<TextSplit> {
  readonly modelWeights: readonly string[];
  readonly #t5: T5Evaluator;
  readonly #rows = new OnceMap<TextSplit, Rows>();

  constructor(t5: T5Evaluator) {
    this.#t5 = t5;
    this.modelWeights = t5.modelWeights;
  }

  get gpuBytes(): number {
    return this.#t5.gpuBytes;
  }

  answersOf({ dataset, metric }: TextSplit) {
    return { classCount: dataset.classCount, metric };
  }

  prepare(split: TextSplit, _from: number, signal: AbortSignal): Promise<Rows> {
    return this.#rowsOf(split, signal);
  }

  async score(
    split: TextSplit,
    weights: ModelWeights,
    { from, to, signal }: RowRange,
  ): Promise<Outcome> {
    const rows = await this.#rowsOf(split, signal);
    const { maxNewTokens, metric, answers } = split;
    const inputs = rows.tokens.slice(from, to);
    const texts = await this.#t5.generate({ weights, inputs, maxNewTokens, signal });
    return scoreAnswers(texts, rows.labels.slice(from, to), { metric, answers });
  }

  dispose(): void {
    this.#t5.dispose();
  }

  #rowsOf(split: TextSplit, signal: AbortSignal): Promise<Rows> {
    return this.#rows.get(split, signal, () => this.#read(split));
  }

  async #read({ dataset }: TextSplit): Promise<Rows> {
    const rows = await dataset.readRows(0, dataset.rowCount);
    const tokens = this.#t5.tokenize(rows.map(({ prompt }) => prompt));
    return { tokens, labels: rows.map(({ label }) => label) };
  }
}

interface Rows {
  readonly tokens: readonly Int32Array[];
  readonly labels: readonly number[];
}

async function openT5(parts: ModelParts): Promise<T5Evaluator> {
  const { base, config, provider, changed, options } = parts;
  const [generationConfig, tokenizer, tokenizerConfig] = await Promise.all([
    readOptionalJson(base, 'generation_config.json', options),
    readRepoJson(base, 'tokenizer.json', options),
    readRepoJson(base, 'tokenizer_config.json', options),
  ]);
  const settings = generationConfig === null ? { config } : { config, generationConfig };
  const t5 = createT5Evaluator({ ...settings, tokenizer, tokenizerConfig, provider, changed });
  await t5.warmUp();
  return t5;
}
