/** T5 on the embedded text zoo against transformers, for either provider (scripts/zoo/text writes the goldens). */
import { beforeAll, describe, expect, it } from 'vitest';
import generatedEntailmentUrl from '../../../scripts/zoo/golden/text/generated-entailment.json?url';
import generatedSimilarityUrl from '../../../scripts/zoo/golden/text/generated-similarity.json?url';
import logitsEntailmentUrl from '../../../scripts/zoo/golden/text/logits-entailment.safetensors?url';
import logitsSimilarityUrl from '../../../scripts/zoo/golden/text/logits-similarity.safetensors?url';
import tableUrl from '../../../scripts/zoo/golden/text/torch-table.json?url';
import { type BaseTensor } from '../runtime/base-weights';
import { fetchBytes, largestDifference, openProvider } from './providers';
import { floats, parseGolden } from './read-golden';
import { provideWeights } from './t5';
import {
  openTextEvaluator,
  readAdapted,
  readTextBase,
  readTextRows,
  readTextZoo,
  type TextZoo,
  type TextZooTask,
} from './zoo-text';
import { metricValue, rowsOf } from '../runtime/outcome';
import { type Provider } from '../runtime/session';
import { type T5Evaluator } from '../t5/t5-evaluator';
import { scoreAnswers } from '../t5/text-task';

const LOGIT_TOLERANCE = 1e-3;
/** Of the rows, every so many are answered, of all lengths: a software adapter is 50 times slower. */
const STRIDE: Readonly<Record<Provider['kind'], number>> = { wasm: 1, webgpu: 8 };

/** A test row as torch saw it. */
interface GoldenRow {
  readonly prompt: string;
  readonly ids: number[];
  readonly finetuned: string;
  readonly pretrained: string;
}

interface GoldenScores {
  readonly correct?: number;
  readonly spearman?: number;
}

interface GoldenTable {
  readonly tasks: {
    readonly name: string;
    readonly n: number;
    readonly scores: Readonly<Record<string, GoldenScores>>;
  }[];
}

const TASKS = [
  { name: 'entailment', generatedUrl: generatedEntailmentUrl, logitsUrl: logitsEntailmentUrl },
  { name: 'similarity', generatedUrl: generatedSimilarityUrl, logitsUrl: logitsSimilarityUrl },
] as const;

async function fetchJson<T>(url: string): Promise<T> {
  return JSON.parse(new TextDecoder().decode(await fetchBytes(url))) as T;
}

function everyNth<T>(items: readonly T[], stride: number): T[] {
  return items.filter((_, i) => i % stride === 0);
}

/** The answers of adapted models; with wasm every row of them and of the base, and prompts. */
export function testZooAnswers(kind: Provider['kind']): void {
  describe.each(TASKS)(`the zoo on ${kind}: $name`, ({ name, generatedUrl, logitsUrl }) => {
    let zoo: TextZoo;
    let task: TextZooTask;
    let golden: GoldenRow[];
    let inputs: Int32Array[];
    let labels: number[];

    beforeAll(async () => {
      zoo = await readTextZoo();
      task = zoo.tasks.find((item) => item.name === name)!;
      golden = await fetchJson(generatedUrl);
      inputs = golden.map(({ ids }) => Int32Array.from(ids));
      labels = (await readTextRows(task)).map(({ label }) => label);
    });

    async function withModel(
      tensors: ReadonlyMap<string, BaseTensor>,
      provider: Provider,
      use: (evaluator: T5Evaluator, weights: { tensors: typeof tensors }) => Promise<void>,
    ): Promise<void> {
      const evaluator = await openTextEvaluator(zoo, provider);
      const weights = await provideWeights(tensors, provider);
      await use(evaluator, weights);
      evaluator.dispose();
      weights.dispose();
    }

    async function checkAnswers(
      tensors: ReadonlyMap<string, BaseTensor>,
      column: 'finetuned' | 'pretrained',
      provider: Provider,
    ): Promise<void> {
      const stride = STRIDE[provider.kind];
      await withModel(tensors, provider, async (evaluator, weights) => {
        const logits = floats(parseGolden(await fetchBytes(logitsUrl)), column);
        const [rowCount, vocabulary] = logits.shape as [number, number];
        const first = everyNth(inputs.slice(0, rowCount), stride);
        const made = await evaluator.firstLogits({ weights, inputs: first });
        const wanted = logits.data.filter((_, i) => Math.floor(i / vocabulary) % stride === 0);
        const worst = largestDifference(made, wanted);
        console.info(`${name}, ${column}, ${provider.kind}: logits differ by ${worst}`);
        expect(worst).toBeLessThan(LOGIT_TOLERANCE);
        const asked = everyNth(inputs, stride);
        const { maxNewTokens } = zoo;
        const answers = await evaluator.generate({ weights, inputs: asked, maxNewTokens });
        expect(answers).toEqual(everyNth(golden, stride).map((row) => row[column]));
        if (stride === 1) await checkScore(answers, column);
      });
    }

    async function checkScore(
      answers: string[],
      column: 'finetuned' | 'pretrained',
    ): Promise<void> {
      const table = await fetchJson<GoldenTable>(tableUrl);
      const wanted = table.tasks.find((row) => row.name === name)!;
      const outcome = scoreAnswers(answers, labels, task);
      expect(rowsOf(outcome)).toBe(wanted.n);
      const { correct, spearman } = wanted.scores[column]!;
      const value = correct === undefined ? spearman! : correct / wanted.n;
      expect(metricValue(outcome)).toBeCloseTo(value, 5);
    }

    it('the adapted model answers as in transformers', async () => {
      await checkAnswers(await readAdapted(zoo, task), 'finetuned', await openProvider(kind));
    });

    if (kind !== 'wasm') return;

    it('prompts and their token ids as in transformers', async () => {
      const evaluator = await openTextEvaluator(zoo, { kind: 'wasm' });
      const prompts = (await readTextRows(task)).map(({ prompt }) => prompt);
      expect(prompts).toEqual(golden.map((row) => row.prompt));
      expect(evaluator.tokenize(prompts)).toEqual(inputs);
    });

    it('the base answers every row as in transformers', async () => {
      await checkAnswers(await readTextBase(zoo), 'pretrained', { kind: 'wasm' });
    });
  });
}
