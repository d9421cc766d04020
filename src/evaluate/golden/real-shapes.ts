/**
 * The models of golden/real-shapes: true sizes, random weights. Each is scored in a worker of its
 * own, as the page does it, so that the memory of one is given back before the next begins.
 */
import { fetchBytes } from './providers';
import { type RandomRule } from './random-weights';
import { type GoldenFile, parseGolden } from './read-golden';
import models from './real-shapes/models.json';

/** What the inputs of all models are made from. */
export type RealShapeInputs = typeof models.inputs;

interface RandomModel {
  /** config.json. */
  readonly config: unknown;
  readonly parameters: number;
  readonly rules: readonly RandomRule[];
  /** Of all logits. */
  readonly spread: { readonly std: number; readonly largest: number; readonly leastLead: number };
}

export interface ClipModel extends RandomModel {
  /** One an image. */
  readonly imageRules: readonly RandomRule[];
  /** Name of the directions that stand for classes beside the prompts. */
  readonly headName: string;
}

export type T5Model = RandomModel;

export type RealShapeModel = ClipModel | T5Model;

/** A model's answer to the inputs. */
export interface Scored {
  /** CLIP: [images, classes]; T5: [prompts, kept], every so many of the last step's logits. */
  readonly logits: Float32Array;
  /** Classes of the images, or the tokens of all answers. */
  readonly choices: Int32Array;
  /** Of CLIP's prompts. */
  readonly textEmbeds?: Float32Array;
  readonly parameters: number;
  /** Of the weights of the larger graph. */
  readonly graphBytes: number;
  /** The most that onnxruntime allocated. */
  readonly heapBytes: number;
  readonly seconds: number;
}

export type RealShapeName = keyof typeof models.models;

const files = import.meta.glob<string>('./real-shapes/*.safetensors', {
  query: '?url',
  import: 'default',
  eager: true,
});

/** The model's facts and what transformers made of the inputs. */
export async function readRealShape(
  name: RealShapeName,
): Promise<{ model: RealShapeModel; expected: GoldenFile }> {
  const expected = parseGolden(await fetchBytes(files[`./real-shapes/${name}.safetensors`]!));
  return { model: models.models[name], expected };
}

/** Scores a model in a worker; what breaks in there fails the test by its own message. */
export async function scoreRealShape(model: RealShapeModel): Promise<Scored> {
  const worker = new Worker(new URL('./real-shape-worker.ts', import.meta.url), {
    type: 'module',
  });
  try {
    return await new Promise<Scored>((resolve, reject) => {
      worker.onmessage = (event: MessageEvent<Scored | string>) => {
        if (typeof event.data === 'string') reject(new Error(event.data));
        else resolve(event.data);
      };
      worker.onerror = (event) => {
        reject(new Error(event.message));
      };
      worker.postMessage({ model, inputs: models.inputs });
    });
  } finally {
    worker.terminate();
  }
}
