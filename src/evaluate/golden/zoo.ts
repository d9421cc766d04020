/** The embedded zoo as the tests of the evaluator want it: one evaluator, weights, data sets. */
import { type BaseTensor } from '../runtime/base-weights';
import { type ClipEvaluator, createClipEvaluator } from '../clip/clip-evaluator';
import { type Provider } from '../runtime/session';
import { openImageDataset } from '../../datasets/dataset';
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

/** Names of a CLIP beside its vision tower. */
export function isBesideVision(name: string): boolean {
  return !name.startsWith('vision_model.');
}

/** A model's tensors with wrong numbers for some names: what is read of those shows. */
export function spoiled(
  tensors: ReadonlyMap<string, BaseTensor>,
  isSpoiled: (name: string) => boolean,
): Map<string, BaseTensor> {
  return new Map(
    [...tensors].map(([name, { shape, data }]) => {
      return [name, isSpoiled(name) ? { shape, data: data.toReversed() } : { shape, data }];
    }),
  );
}

/**
 * An evaluator on the zoo's base.
 *
 * @param models what the models to score change beside the vision tower; the base's own tensors of
 *   these names are spoiled
 */
export async function openZooEvaluator(
  provider: Provider,
  models: { readonly changed?: ReadonlySet<string> } = {},
): Promise<ClipEvaluator> {
  const { changed = new Set() } = models;
  const base = spoiled(await readZooWeights(BASE), (name) => changed.has(name));
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
    changed,
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
