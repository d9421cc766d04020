/** The embedded zoo as the tests of the evaluator want it: one evaluator, weights, data sets. */
import { type BaseTensor } from '@/evaluate/base-weights';
import { type ClipEvaluator, createClipEvaluator } from '@/evaluate/clip-evaluator';
import { type Provider } from '@/evaluate/session';
import { openImageDataset } from '@/sources/dataset';
import { type FloatDtype } from '@/tensor/dtype';
import { decodeFloats } from '@/tensor/half';
import { readSafetensorsHeader, readTensorBytes } from '@/tensor/safetensors';
import { fetchBytes } from './providers';

/** Where Vite serves public/zoo. */
const ZOO = '/zoo';
const BASE = 'models/clip-tiny';

export interface ZooTaskData {
  readonly classNames: readonly string[];
  readonly templates: readonly string[];
  readonly images: readonly Uint8Array[];
  readonly labels: Int32Array;
}

/** Float tensors of one of the zoo's checkpoints. */
export async function readZooWeights(
  model: string,
  file = 'model.safetensors',
): Promise<Map<string, BaseTensor>> {
  const blob = new Blob([await fetchBytes(`${ZOO}/${model}/${file}`)]);
  const header = await readSafetensorsHeader(blob, model);
  const tensors = new Map<string, BaseTensor>();
  for (const [name, { dtype, shape }] of header.tensors) {
    const bytes = await readTensorBytes(blob, header, name);
    tensors.set(name, { shape, data: decodeFloats(bytes, dtype as FloatDtype) });
  }
  return tensors;
}

/** An evaluator on the zoo's base. */
export async function openZooEvaluator(provider: Provider): Promise<ClipEvaluator> {
  const base = await readZooWeights(BASE);
  const json = async (file: string) =>
    JSON.parse(new TextDecoder().decode(await fetchBytes(`${ZOO}/${BASE}/${file}`))) as object;
  return createClipEvaluator({
    config: await json('config.json'),
    preprocessor: await json('preprocessor_config.json'),
    tokenizer: await json('tokenizer.json'),
    tokenizerConfig: await json('tokenizer_config.json'),
    baseTensors: (name) => {
      const tensor = base.get(name);
      return tensor ? Promise.resolve(tensor) : Promise.reject(new Error(`No ${name}.`));
    },
    provider,
  });
}

/** A task's whole test split. */
export async function readZooTask(task: string): Promise<ZooTaskData> {
  const zoo = JSON.parse(new TextDecoder().decode(await fetchBytes(`${ZOO}/zoo.json`))) as {
    tasks: { name: string; dataset: string; templates: string[] }[];
  };
  const entry = zoo.tasks.find(({ name }) => name === task);
  if (entry === undefined) throw new Error(`The zoo has no task ${task}.`);
  const path = `${ZOO}/${entry.dataset}/data/test-00000-of-00001.parquet`;
  const dataset = await openImageDataset(new Blob([await fetchBytes(path)]), task);
  const rows = await dataset.readRows(0, dataset.rowCount);
  return {
    classNames: dataset.classNames,
    templates: entry.templates,
    images: rows.map((row) => row.bytes),
    labels: Int32Array.from(rows, (row) => row.label),
  };
}
