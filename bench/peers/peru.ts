/** Peru's own evaluator on the weights that the ONNX model was exported from. */
import { loadBaseWeights, type BaseTensor } from '../../src/evaluate/runtime/base-weights';
import { readClipConfig } from '../../src/evaluate/clip/clip-config';
import { createClipEvaluator } from '../../src/evaluate/clip/clip-evaluator';
import { type Provider } from '../../src/evaluate/runtime/graph-session';
import { Lanes } from '../../src/evaluate/runtime/lanes';
import { startLanes } from '../../src/platform/browser/lane-threads';
import { openDevice } from '@/gpu/device';
import { type FloatDtype } from '@/tensor/dtype';
import { decodeFloats } from '@/tensor/half';
import { readSafetensorsHeader, readTensorBytes } from '@/tensor/safetensors';
import { type Contender, type EvaluationCase } from './evaluation-case';

/** Opens a model folder. With an identity for class head and scale 1, logits are embeddings. */
export async function openPeru(evaluation: EvaluationCase, modelsUrl: string): Promise<Contender> {
  const folder = `${modelsUrl}${evaluation.name}/`;
  const json = async (file: string) => (await fetch(folder + file)).json() as Promise<object>;
  const config = await json('config.json');
  const tensors = await readTensors(`${folder}vision.safetensors`);
  tensors.set('logit_scale', { shape: [], data: Float32Array.of(0) });
  const read = (name: string) => Promise.resolve(tensors.get(name)!);
  const provider: Provider =
    evaluation.provider === 'wasm'
      ? onProcessor(evaluation.threads)
      : { kind: 'webgpu', device: (await openDevice()).device };
  const evaluator = createClipEvaluator({
    config,
    preprocessor: await json('preprocessor_config.json'),
    tokenizer: await json('tokenizer.json'),
    tokenizerConfig: await json('tokenizer_config.json'),
    baseTensors: read,
    provider,
  });
  const shapes = new Map([...tensors].map(([name, { shape }]) => [name, shape]));
  const weights = await loadBaseWeights(shapes, read, provider);
  const { imageCount: count, imageSize: size, pixels } = evaluation;
  const request = {
    weights: { tensors: weights.feeds as ReadonlyMap<string, BaseTensor> },
    head: identity(readClipConfig(config).projectionSize),
    pixels: { count, width: size, height: size, data: pixels },
    labels: new Int32Array(count),
  };
  return {
    name: 'Peru',
    embed: async () => (await evaluator.predict(request)).logits,
    dispose: () => {
      evaluator.dispose();
      weights.dispose();
      if (provider.kind === 'wasm') provider.lanes?.dispose();
      return Promise.resolve();
    },
  };
}

function onProcessor(threads: number): Provider {
  if (threads === 1) return { kind: 'wasm', threads };
  return { kind: 'wasm', lanes: new Lanes(threads, startLanes) };
}

async function readTensors(url: string): Promise<Map<string, BaseTensor>> {
  const blob = await (await fetch(url)).blob();
  const header = await readSafetensorsHeader(blob, url);
  const tensors = new Map<string, BaseTensor>();
  for (const [name, { dtype, shape }] of header.tensors) {
    const bytes = await readTensorBytes(blob, header, name);
    tensors.set(name, { shape, data: decodeFloats(bytes, dtype as FloatDtype) });
  }
  return tensors;
}

function identity(size: number): Float32Array {
  const matrix = new Float32Array(size * size);
  for (let i = 0; i < size; i++) matrix[i * (size + 1)] = 1;
  return matrix;
}
