/** The embedded text zoo as the tests of the evaluator want it. */
import { type BaseTensor } from '../runtime/base-weights';
import { type Provider } from '../runtime/session';
import { createT5Evaluator, type T5Evaluator } from '../t5/t5-evaluator';
import { type TextTask } from '../t5/text-task';
import { openTextDataset, type TextRow } from '../../datasets/text-dataset';
import { fetchBytes } from './providers';
import { readZooWeights } from './zoo';

/** Below where Vite serves public/zoo. */
const TEXT_ZOO = 'text';

export interface TextZooTask extends TextTask {
  readonly name: string;
  readonly adapter: string;
  readonly dataset: string;
  readonly prompt: string;
}

export interface TextZoo {
  readonly base: string;
  readonly maxNewTokens: number;
  readonly tasks: readonly TextZooTask[];
}

async function readJson<T>(path: string): Promise<T> {
  const bytes = await fetchBytes(`/zoo/${TEXT_ZOO}/${path}`);
  return JSON.parse(new TextDecoder().decode(bytes)) as T;
}

/** The manifest. */
export function readTextZoo(): Promise<TextZoo> {
  return readJson('manifest.json');
}

/** An evaluator on the zoo's base. */
export async function openTextEvaluator(zoo: TextZoo, provider: Provider): Promise<T5Evaluator> {
  const file = (name: string) => readJson<object>(`${zoo.base}/${name}`);
  return createT5Evaluator({
    config: await file('config.json'),
    generationConfig: await file('generation_config.json'),
    tokenizer: await file('tokenizer.json'),
    tokenizerConfig: await file('tokenizer_config.json'),
    provider,
  });
}

/** A task's whole test split. */
export async function readTextRows(task: TextZooTask): Promise<TextRow[]> {
  const path = `/zoo/${TEXT_ZOO}/${task.dataset}/data/test-00000-of-00001.parquet`;
  const dataset = await openTextDataset(new Blob([await fetchBytes(path)]), task.name, task);
  return dataset.readRows(0, dataset.rowCount);
}

/** Weights of the base. */
export function readTextBase(zoo: TextZoo): Promise<Map<string, BaseTensor>> {
  return readZooWeights(`${TEXT_ZOO}/${zoo.base}`);
}

/** Weights of the base with the task's adapter put in: W + (lora_alpha / r) B A. */
export async function readAdapted(
  zoo: TextZoo,
  task: TextZooTask,
): Promise<Map<string, BaseTensor>> {
  const weights = await readTextBase(zoo);
  const config = await readJson<{ r: number; lora_alpha: number }>(
    `${task.adapter}/adapter_config.json`,
  );
  const factors = await readZooWeights(`${TEXT_ZOO}/${task.adapter}`, 'adapter_model.safetensors');
  for (const [key, down] of factors) {
    const name = /^base_model\.model\.(.+)\.lora_A\.weight$/.exec(key)?.[1];
    if (name === undefined) continue;
    const up = factors.get(key.replace('.lora_A.', '.lora_B.'))!;
    const base = weights.get(`${name}.weight`)!;
    weights.set(`${name}.weight`, addProduct(base, up, down, config.lora_alpha / config.r));
  }
  return weights;
}

/** base + scale x up x down, summed in float64. */
function addProduct(base: BaseTensor, up: BaseTensor, down: BaseTensor, scale: number): BaseTensor {
  const [rank, width] = down.shape as [number, number];
  const data = base.data.map((value, i) => {
    const [row, column] = [Math.floor(i / width), i % width];
    let sum = 0;
    for (let r = 0; r < rank; r++) {
      sum += up.data[row * rank + r]! * down.data[r * width + column]!;
    }
    return value + scale * sum;
  });
  return { shape: base.shape, data };
}
