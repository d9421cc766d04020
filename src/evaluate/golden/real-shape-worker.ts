/** Scores one of the models of golden/real-shapes inside a dedicated worker and posts the logits. */
import { type BaseTensor } from '../runtime/base-weights';
import { readClipConfig } from '../clip/clip-config';
import { ClipEvaluator } from '../clip/clip-evaluator';
import { buildTextGraph } from '../clip/clip-text';
import { buildVisionGraph } from '../clip/clip-vision';
import { buildT5DecoderGraph } from '../t5/t5-decoder';
import { buildT5EncoderGraph } from '../t5/t5-encoder';
import { buildT5SourcesGraph } from '../t5/t5-sources';
import { readPreprocessorConfig } from '../clip/preprocessor-config';
import { type Provider } from '../runtime/session';
import { readT5Config } from '../t5/t5-config';
import { T5Runner } from '../t5/t5-runner';
import { endOfTextPositions, type TokenBatch } from '../clip/tokenize';
import { TextTower } from '../clip/zero-shot-head';
import { randomIds, randomValues } from './random-weights';
import {
  type ClipModel,
  type RealShapeInputs,
  type RealShapeModel,
  type Scored,
  type T5Model,
} from './real-shapes';

const WASM: Provider = { kind: 'wasm' };
const START_OF_TEXT = 49406;
const END_OF_TEXT = 49407;

/** What onnxruntime allocated: it never gives memory back, so its size is its peak. */
const memories: WebAssembly.Memory[] = [];
WebAssembly.Memory = class extends WebAssembly.Memory {
  constructor(descriptor: WebAssembly.MemoryDescriptor) {
    super(descriptor);
    memories.push(this);
  }
};

type Scores = Omit<Scored, 'heapBytes' | 'seconds'>;

onmessage = (event: MessageEvent<{ model: RealShapeModel; inputs: RealShapeInputs }>) => {
  const { model, inputs } = event.data;
  score(model, inputs).then(
    (scored) => {
      postMessage(scored);
    },
    (cause: unknown) => {
      postMessage(String(cause));
    },
  );
};

async function score(model: RealShapeModel, inputs: RealShapeInputs): Promise<Scored> {
  const start = performance.now();
  const scores = await ('headName' in model ? scoreClip(model, inputs) : scoreT5(model, inputs));
  const heapBytes = Math.max(...memories.map(({ buffer }) => buffer.byteLength));
  return { ...scores, heapBytes, seconds: (performance.now() - start) / 1000 };
}

async function scoreClip(model: ClipModel, inputs: RealShapeInputs): Promise<Scores> {
  const config = readClipConfig(model.config);
  const graphs = [buildTextGraph(config, 1).weights, buildVisionGraph(config).weights];
  const shapes = new Map(graphs.flatMap((weights) => [...weights]));
  const make = (name: string): BaseTensor => {
    const shape = shapes.get(name)!;
    return { shape, data: randomValues(name, shape, model.rules) };
  };
  const read = (name: string) => Promise.resolve(make(name));
  const tokens = promptTokens(inputs.promptLengths, config.text.contextLength);
  const tensors = { base: read, changed: new Set<string>() };
  const text = new TextTower(config, { encode: () => tokens }, tensors, WASM);
  const textEmbeds = await text.embedTokens(tokens, endOfTextPositions(tokens, config.text));
  text.release();
  const size = config.projectionSize;
  const head = new Float32Array(inputs.classes * size);
  head.set(textEmbeds);
  const others = [inputs.classes - tokens.count, size];
  const directions = randomValues(model.headName, others, [{ pattern: '', mean: 0, std: 1 }]);
  head.set(unitRows(directions, size), textEmbeds.length);
  const evaluator = new ClipEvaluator(config, readPreprocessorConfig({}), text, tensors, WASM);
  const names = [...shapes.keys()].filter((name) => name.startsWith('vision_model.'));
  const side = config.vision.imageSize;
  const images = model.imageRules.map((rule) => randomValues('image', [3, side, side], [rule]));
  const { logits, predictions } = await evaluator.predict({
    weights: { tensors: new Map(names.map((name) => [name, make(name)])) },
    head,
    pixels: { count: images.length, width: side, height: side, data: joined(images) },
    labels: images.map(() => 0),
  });
  evaluator.dispose();
  return { logits, choices: predictions, textEmbeds, ...sizes(graphs) };
}

async function scoreT5(model: T5Model, inputs: RealShapeInputs): Promise<Scores> {
  const config = readT5Config(model.config);
  const graphs = [buildT5EncoderGraph, buildT5SourcesGraph, buildT5DecoderGraph].map(
    (build) => build(config).weights,
  );
  const shapes = new Map(graphs.flatMap((weights) => [...weights]));
  const tensors = new Map(
    [...shapes].map(([name, shape]) => [
      name,
      { shape, data: randomValues(name, shape, model.rules) },
    ]),
  );
  const runner = new T5Runner(config, WASM);
  const prompts = inputs.inputLengths.map((length, row) =>
    Int32Array.of(...randomIds(`input ${row}`, length - 1, 2, config.vocabularySize), 1),
  );
  const request = { weights: { tensors }, inputs: prompts };
  const made = await runner.generate({ ...request, maxNewTokens: inputs.steps });
  const answers = made.map((ids) => Int32Array.of(config.startId, ...ids.slice(0, -1)));
  const all = await runner.nextLogits({ ...request, answers });
  runner.dispose();
  const kept = prompts.map((_, row) => {
    const logits = all.subarray(row * config.vocabularySize, (row + 1) * config.vocabularySize);
    return logits.filter((_, id) => id % inputs.stride === 0);
  });
  return {
    logits: joined(kept),
    choices: Int32Array.from(made.flatMap((ids) => [...ids])),
    ...sizes(graphs),
  };
}

/** Start, words, end of text, filled up with ends of text, as openai's tokenizer does. */
function promptTokens(lengths: readonly number[], tokenCount: number): TokenBatch {
  const ids = new Int32Array(lengths.length * tokenCount).fill(END_OF_TEXT);
  for (const [row, length] of lengths.entries()) {
    const words = randomIds(`prompt ${row}`, length - 2, 0, START_OF_TEXT);
    ids.set([START_OF_TEXT, ...words], row * tokenCount);
  }
  return { count: lengths.length, tokenCount, ids };
}

/** Rows brought to unit length. */
function unitRows(rows: Float32Array, size: number): Float32Array {
  const made = new Float32Array(rows.length);
  for (let start = 0; start < rows.length; start += size) {
    const row = rows.subarray(start, start + size);
    const length = Math.hypot(...row);
    made.set(
      row.map((value) => value / length),
      start,
    );
  }
  return made;
}

function joined(parts: readonly Float32Array[]): Float32Array {
  return Float32Array.from(parts.flatMap((part) => [...part]));
}

type Shapes = ReadonlyMap<string, readonly number[]>;

/** Parameters of all graphs, those they share counted once, and bytes of the larger one. */
function sizes(graphs: readonly Shapes[]): Pick<Scored, 'parameters' | 'graphBytes'> {
  const all = new Map(graphs.flatMap((weights) => [...weights]));
  return { parameters: count(all), graphBytes: 4 * Math.max(...graphs.map(count)) };
}

function count(shapes: Shapes): number {
  return [...shapes.values()].reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0);
}
