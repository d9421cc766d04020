/**
 * Zero-shot classification with CLIP in the browser: the head from the base's text tower, or each
 * model's own where models change it, the pixels of a task made once, and predictions for any weights of the vision tower without a
 * rebuild, since weights are inputs of the graph.
 */
import { type ModelWeights } from '@/tensor/engine';
import { PeruError } from '@/core/errors';
import {
  loadBaseWeights,
  modelFeeds,
  type ReadBaseTensor,
  type ResidentWeights,
  WeightsByModel,
} from '@/evaluate/runtime/base-weights';
import { type ClipConfig, readClipConfig, visionTokenCount } from './clip-config';
import { checkWeightsFit } from '@/evaluate/runtime/memory-limit';
import { argmaxRows, countCorrect } from '@/evaluate/runtime/metrics';
import { buildVisionGraph, type ClipGraph } from './clip-vision';
import { yieldToEventLoop } from '@/evaluate/runtime/yield-to-event-loop';
import { preprocessImages, type PixelBatch } from './preprocess';
import { type PreprocessorConfig, readPreprocessorConfig } from './preprocessor-config';
import {
  type FeedData,
  type GraphLane,
  type GraphSession,
  type Provider,
} from '@/evaluate/runtime/graph-session';
import { overLanes } from '@/evaluate/runtime/over-lanes';
import { createGraphSession } from '@/evaluate/runtime/session';
import { createPromptTokenizer } from './tokenize';
import { whenSettled } from '@/evaluate/runtime/when-settled';
import { type HeadOptions, type TensorsOf, TextTower, zeroShotHead } from './zero-shot-head';

export type { PixelBatch } from './preprocess';
export type { Provider } from '@/evaluate/runtime/graph-session';

export interface ClipEvaluatorOptions {
  /** Parsed config.json of the base, a CLIPModel. */
  readonly config: unknown;
  /** Parsed preprocessor_config.json of the base. */
  readonly preprocessor: unknown;
  /** Parsed tokenizer.json and tokenizer_config.json of the base. */
  readonly tokenizer: object;
  readonly tokenizerConfig: object;
  /** Reads what models do not change of the base's text tower, projections and `logit_scale`. */
  readonly baseTensors: ReadBaseTensor;
  readonly provider: Provider;
  /** Names of tensors that the models to score change, beside `vision_model.*`; others do no harm. */
  readonly changed?: ReadonlySet<string>;
}

export interface PredictRequest {
  /** `modelWeights` of the model to score; in GPU buffers only with the webgpu provider. */
  readonly weights: Pick<ModelWeights, 'tensors'>;
  /** From `zeroShotHead`. */
  readonly head: Float32Array;
  /** From `preprocess`. */
  readonly pixels: PixelBatch;
  /** Class index of each image of `pixels`. */
  readonly labels: ArrayLike<number>;
  /** First image to score, and one past the last; all of them by default. */
  readonly from?: number;
  readonly to?: number;
  readonly signal?: AbortSignal;
}

export interface Prediction {
  readonly correct: number;
  /** Images scored. */
  readonly n: number;
  readonly classCount: number;
  /** [n, classCount]: exp(logit_scale) x cosine. */
  readonly logits: Float32Array;
  /** Class index of each image scored. */
  readonly predictions: Int32Array;
}

const VISION_PREFIX = 'vision_model.';
/**
 * Images a run, powers of two, so that runs meet the ends of samples and blocks; and bytes that its
 * widest activation may take. On a CPU a run's activations are to stay in the caches: of B/32, 8
 * images at a time go 9 % faster than 32, and small towers gain nothing by more than 32.
 */
const MOST_TOGETHER = {
  wasm: { images: 32, activationBytes: 2 ** 23 },
  webgpu: { images: 64, activationBytes: 2 ** 26 },
};
/** Each run copies all weights: one image alone would wait for them too long. */
const LEAST_TOGETHER = 2;

/**
 * Checks the repo's files and builds the graphs; nothing is fetched or read before first use.
 *
 * @throws PeruError 'unsupported' or 'parse' when the base is not a CLIP model Peru can score
 */
export function createClipEvaluator(options: ClipEvaluatorOptions): ClipEvaluator {
  const config = readClipConfig(options.config);
  const preprocessor = readPreprocessorConfig(options.preprocessor);
  const tokenizer = createPromptTokenizer(
    options.tokenizer,
    options.tokenizerConfig,
    config.text.contextLength,
  );
  const { provider, baseTensors, changed = new Set() } = options;
  const tensors = { base: baseTensors, changed };
  const text = new TextTower(config, tokenizer, tensors, provider);
  return new ClipEvaluator(config, preprocessor, text, tensors, provider);
}

export class ClipEvaluator {
  readonly #config: ClipConfig;
  readonly #preprocessor: PreprocessorConfig;
  readonly #text: TextTower;
  readonly #baseTensors: ReadBaseTensor;
  readonly #provider: Provider;
  readonly #graph: ClipGraph;
  /** Weights of the vision graph that are each model's own, and those that stay the base's. */
  readonly #ownShapes: ReadonlyMap<string, readonly number[]>;
  readonly #baseShapes: ReadonlyMap<string, readonly number[]>;
  readonly #weights = new WeightsByModel();
  #vision: Promise<{ session: GraphSession; base: ResidentWeights }> | null = null;
  #gpuBytes = 0;
  #disposed = false;

  /** @throws PeruError 'unsupported' when the vision tower is too large for the provider */
  constructor(
    config: ClipConfig,
    preprocessor: PreprocessorConfig,
    text: TextTower,
    { base, changed }: TensorsOf,
    provider: Provider,
  ) {
    this.#config = config;
    this.#preprocessor = preprocessor;
    this.#text = text;
    this.#baseTensors = base;
    this.#provider = provider;
    this.#graph = buildVisionGraph(config);
    const isOwn = (name: string): boolean => name.startsWith(VISION_PREFIX) || changed.has(name);
    const shapes = [...this.#graph.weights];
    this.#ownShapes = new Map(shapes.filter(([name]) => isOwn(name)));
    this.#baseShapes = new Map(shapes.filter(([name]) => !isOwn(name)));
    checkWeightsFit('vision tower', this.#graph.weights, provider);
  }

  /** Weights that each model brings; the rest is the base's. */
  get modelWeights(): readonly string[] {
    return [...this.#ownShapes.keys(), ...this.#text.modelWeights];
  }

  /** Whether models change what makes the classes' directions: then each has heads of its own. */
  get headsDiffer(): boolean {
    return this.#text.modelWeights.length > 0;
  }

  /** Bytes of GPU buffers held here for the base's weights. */
  get gpuBytes(): number {
    return this.#gpuBytes + this.#text.gpuBytes;
  }

  /** Fetches the runtime and compiles the vision graph ahead of the first `predict`. */
  async warmUp(): Promise<void> {
    await this.#openVision();
  }

  /**
   * Class weights [classes, projection] of a task, rows of unit length; the caller keeps them.
   *
   * @param templates prompts with `{c}` where the class name goes
   * @param options `weights`: the model whose head it is, needed where `headsDiffer`
   */
  zeroShotHead(
    classNames: readonly string[],
    templates: readonly string[],
    options: HeadOptions = {},
  ): Promise<Float32Array> {
    return zeroShotHead(this.#text, classNames, templates, options);
  }

  /** Drops the text tower's weights, once the heads of all tasks are made. */
  releaseText(): void {
    this.#text.release();
  }

  /**
   * Pixels of a task's images, made once and kept by the caller.
   *
   * @throws PeruError 'parse' for an image that cannot be decoded, 'mismatch' when the images
   *   do not come out in the size the model takes
   */
  async preprocess(images: readonly Uint8Array[], signal?: AbortSignal): Promise<PixelBatch> {
    const pixels = await preprocessImages(images, this.#preprocessor, signal);
    const { imageSize } = this.#config.vision;
    if (pixels.count > 0 && (pixels.width !== imageSize || pixels.height !== imageSize)) {
      throw wrongImageSize(pixels, imageSize);
    }
    return pixels;
  }

  /**
   * Scores images [from, to) with one model's weights, in batches; between batches the event
   * loop runs, and an aborted `signal` ends the work with its reason.
   *
   * @throws PeruError 'mismatch' when a weight is missing or of another shape
   */
  async predict(request: PredictRequest): Promise<Prediction> {
    const { pixels, signal, from = 0, to = pixels.count } = request;
    signal?.throwIfAborted();
    const { session, base } = await this.#openVision();
    const classCount = request.head.length / this.#config.projectionSize;
    const weights = this.#weights.get(request.weights, () => {
      return new Map([...modelFeeds(this.#ownShapes, request.weights), ...base.feeds]);
    });
    const head = { shape: [classCount, this.#config.projectionSize], data: request.head };
    const logits = new Float32Array((to - from) * classCount);
    const step = this.#imagesTogether();
    const score = async (start: number, lane: GraphLane): Promise<void> => {
      if (start > from) await yieldToEventLoop();
      signal?.throwIfAborted();
      if (this.#disposed) throw disposedError();
      const images = this.#pixelFeed(pixels, start, Math.min(step, to - start));
      const feeds = new Map([
        ['class_head', head],
        ['pixel_values', images],
      ]);
      logits.set(await lane.run(feeds, 'logits', weights), (start - from) * classCount);
    };
    const starts = Array.from({ length: Math.ceil((to - from) / step) }, (_, i) => from + i * step);
    await overLanes(session.lanes, starts, score, signal);
    const predictions = argmaxRows(logits, classCount);
    const labels = Array.prototype.slice.call<ArrayLike<number>, [number, number], number[]>(
      request.labels,
      from,
      to,
    );
    const correct = countCorrect(predictions, labels);
    return { correct, n: to - from, classCount, logits, predictions };
  }

  /** Ends the session and frees what is held on the GPU; running calls end first. */
  dispose(): void {
    this.#disposed = true;
    this.#text.release();
    whenSettled(this.#vision, async ({ session, base }) => {
      await session.release();
      base.dispose();
    });
    this.#vision = null;
    this.#gpuBytes = 0;
  }

  #openVision(): Promise<{ session: GraphSession; base: ResidentWeights }> {
    if (this.#disposed) throw disposedError();
    this.#vision ??= this.#createVision().catch((cause: unknown) => {
      this.#vision = null;
      throw cause;
    });
    return this.#vision;
  }

  async #createVision(): Promise<{ session: GraphSession; base: ResidentWeights }> {
    const session = await createGraphSession(this.#graph.model, this.#provider);
    const base = await loadBaseWeights(this.#baseShapes, this.#baseTensors, this.#provider);
    this.#gpuBytes = base.gpuBytes;
    return { session, base };
  }

  #pixelFeed(pixels: PixelBatch, start: number, count: number): FeedData {
    const { channelCount } = this.#config.vision;
    const imageLength = channelCount * pixels.height * pixels.width;
    return {
      shape: [count, channelCount, pixels.height, pixels.width],
      data: pixels.data.subarray(start * imageLength, (start + count) * imageLength),
    };
  }

  #imagesTogether(): number {
    const { vision } = this.#config;
    const bytesPerImage = visionTokenCount(vision) * vision.intermediateSize * 4;
    const { images, activationBytes } = MOST_TOGETHER[this.#provider.kind];
    const fitting = Math.max(LEAST_TOGETHER, Math.min(images, activationBytes / bytesPerImage));
    return 2 ** Math.floor(Math.log2(fitting));
  }
}

function wrongImageSize(pixels: PixelBatch, imageSize: number): PeruError {
  return new PeruError(
    'mismatch',
    `preprocessor_config.json makes images of ${pixels.width} x ${pixels.height} pixels, but config.json wants ${imageSize} x ${imageSize}.`,
    'Take both files from the same repo.',
  );
}

function disposedError(): PeruError {
  return new PeruError(
    'internal',
    'The evaluator was used after it was disposed.',
    'This is a fault in Peru: please report it with the steps that led here.',
  );
}
