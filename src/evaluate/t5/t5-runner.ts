/**
 * T5 over token ids: encodes batches of prompts once and decodes their answers greedily, with any
 * weights and without a rebuild, since weights are inputs of the graphs.
 */
import { type ModelWeights } from '@/tensor/engine';
import { PeruError } from '@/core/errors';
import { modelFeeds, WeightsByModel } from '@/evaluate/runtime/base-weights';
import { checkWeightsFit } from '@/evaluate/runtime/memory-limit';
import { argmaxRows } from '@/evaluate/runtime/metrics';
import { yieldToEventLoop } from '@/evaluate/runtime/yield-to-event-loop';
import { buildT5DecoderGraph } from './t5-decoder';
import { buildT5EncoderGraph } from './t5-encoder';
import { type T5Graph } from './t5-layers';
import { allSourceNames, buildT5SourcesGraph } from './t5-sources';
import { KeptStates } from './kept-states';
import {
  type FeedData,
  type Feeds,
  type GraphLane,
  type GraphSession,
  type HeldOutput,
  type LaneQueue,
  type Provider,
} from '@/evaluate/runtime/graph-session';
import { overLanes } from '@/evaluate/runtime/over-lanes';
import { createGraphSession } from '@/evaluate/runtime/session';
import { batchByLength, decoderFeeds, encoderFeeds, type PromptBatch } from './t5-batches';
import { type T5Config } from './t5-config';
import { whenSettled } from '@/evaluate/runtime/when-settled';

export type T5Weights = Pick<ModelWeights, 'tensors'>;

export interface T5Request {
  /** All of the model under the checkpoint's names; in GPU buffers only with webgpu. */
  readonly weights: T5Weights;
  /** Token ids of each prompt, at least one each. */
  readonly inputs: readonly Int32Array[];
  readonly signal?: AbortSignal;
}

export interface AnswerRequest extends T5Request {
  /** Limit of an answer, its end token included. */
  readonly maxNewTokens: number;
}

export interface LogitsRequest extends T5Request {
  /** Ids of each answer so far, all of one length; the start token alone by default. */
  readonly answers?: readonly Int32Array[];
}

interface Graphs<Graph> {
  readonly encoder: Graph;
  readonly sources: Graph;
  readonly decoder: Graph;
}

/** The graphs in one runtime: what one makes stays there for the next. */
interface Lane extends Graphs<GraphLane> {
  readonly queue: LaneQueue | null;
}

/** Of 512 prompts of 40 tokens each, Flan-T5-base's take 63 MB. */
const KEPT_STATES_BYTES = 2 ** 27;

export class T5Runner {
  readonly #config: T5Config;
  readonly #provider: Provider;
  readonly #graphs: Graphs<T5Graph>;
  readonly #sourceNames: readonly string[];
  /** Null where models may have encoders of their own. */
  readonly #states: KeptStates | null;
  readonly #weights = new WeightsByModel();
  #sessions: Promise<Graphs<GraphSession>> | null = null;
  /** Settles once all that was asked for so far has. */
  #work: Promise<unknown> = Promise.resolve();
  #gpuBytes = 0;
  #disposed = false;

  /**
   * @param mayChange whether models may differ in the weight of that name
   * @throws PeruError 'unsupported' when the model is too large for the provider
   */
  constructor(
    config: T5Config,
    provider: Provider,
    mayChange: (name: string) => boolean = () => true,
  ) {
    this.#config = config;
    this.#provider = provider;
    const encoder = buildT5EncoderGraph(config);
    const decoder = buildT5DecoderGraph(config);
    this.#graphs = { encoder, sources: buildT5SourcesGraph(config), decoder };
    checkWeightsFit('encoder', encoder.weights, provider);
    checkWeightsFit('decoder', decoder.weights, provider);
    this.#sourceNames = allSourceNames(config);
    const isShared = ![...encoder.weights.keys()].some(mayChange);
    this.#states = isShared ? new KeptStates(KEPT_STATES_BYTES) : null;
  }

  /** Weights that each model brings. */
  get modelWeights(): readonly string[] {
    return [...this.#shapes().keys()];
  }

  /** Bytes of GPU buffers held between the runs of a batch; 0 while nothing is generated. */
  get gpuBytes(): number {
    return this.#gpuBytes;
  }

  /** Fetches the runtime and compiles the graphs ahead of the first use. */
  async warmUp(): Promise<void> {
    await this.#open();
  }

  /**
   * Greedy answers, in the order of the inputs: token ids up to the end token, without it.
   * Between runs the event loop turns, and an aborted `signal` ends the work with its reason.
   *
   * @throws PeruError 'mismatch' when a weight is missing or of another shape
   */
  async generate(request: AnswerRequest): Promise<Int32Array[]> {
    const answers = new Array<Int32Array>(request.inputs.length);
    await this.#eachBatch(request, async (batch, next) => {
      const made = await this.#decodeGreedily(batch.rows.length, request.maxNewTokens, next);
      for (const [i, row] of batch.rows.entries()) answers[row] = made[i]!;
    });
    return answers;
  }

  /**
   * Logits [inputs, vocabulary] of the token that follows each answer so far.
   *
   * @throws PeruError 'mismatch' when a weight is missing or of another shape
   */
  async nextLogits(request: LogitsRequest): Promise<Float32Array> {
    const { vocabularySize, startId } = this.#config;
    const logits = new Float32Array(request.inputs.length * vocabularySize);
    await this.#eachBatch(request, async (batch, next) => {
      const given = batch.rows.map((row) => [...(request.answers?.[row] ?? [startId])]);
      const made = await next(Int32Array.from(given.flat()));
      for (const [i, row] of batch.rows.entries()) {
        const from = i * vocabularySize;
        logits.set(made.subarray(from, from + vocabularySize), row * vocabularySize);
      }
    });
    return logits;
  }

  /** Ends the sessions; running calls fail at their next run, and give back what they hold. */
  dispose(): void {
    this.#disposed = true;
    whenSettled(this.#sessions, async ({ encoder, sources, decoder }) => {
      await this.#work;
      await Promise.all([encoder.release(), sources.release(), decoder.release()]);
    });
    this.#sessions = null;
  }

  /**
   * Encodes batch after batch; `answer` gets a function from the answers so far to the logits of
   * their next tokens.
   */
  #eachBatch(request: T5Request, answer: AnswerBatch): Promise<void> {
    const run = this.#runBatches(request, answer);
    this.#work = Promise.allSettled([this.#work, run]);
    return run;
  }

  async #runBatches({ weights, inputs, signal }: T5Request, answer: AnswerBatch): Promise<void> {
    const lanes = lanesOf(await this.#open());
    const own = this.#weights.get(weights, () => modelFeeds(this.#shapes(), weights));
    const run = async (batch: PromptBatch, lane: Lane): Promise<void> => {
      await this.#yieldUnlessOver(signal);
      const prompts = batch.rows.map((row) => inputs[row]!);
      const sources = await this.#sourcesOf(batch, prompts, lane, own);
      const held = heldBytes(sources.values());
      this.#gpuBytes += held;
      try {
        await answer(batch, async (answers) => {
          await this.#yieldUnlessOver(signal);
          const step = decoderFeeds(batch, answers, this.#config);
          const feeds = new Map<string, FeedData>([...sources, ...step]);
          return lane.decoder.run(feeds, 'logits', own);
        });
      } finally {
        for (const source of sources.values()) source.dispose();
        this.#gpuBytes -= held;
      }
    };
    // The longest first: what is left for last keeps no lane waiting for another.
    const batches = batchByLength(inputs, this.#config).reverse();
    await overLanes(lanes, batches, run, signal);
  }

  /** Keys and values of a batch; the caller disposes of them. */
  async #sourcesOf(
    batch: PromptBatch,
    prompts: readonly Int32Array[],
    lane: Lane,
    own: Feeds,
  ): Promise<Map<string, HeldOutput>> {
    const hidden = await this.#encode(batch, prompts, lane.encoder, own);
    const held = heldBytes([hidden]);
    this.#gpuBytes += held;
    try {
      return await lane.sources.runHeld(new Map([['hidden', hidden]]), this.#sourceNames, own);
    } finally {
      hidden.dispose();
      this.#gpuBytes -= held;
    }
  }

  async #encode(
    batch: PromptBatch,
    prompts: readonly Int32Array[],
    encoder: GraphLane,
    own: Feeds,
  ): Promise<HeldOutput> {
    const kept = this.#states?.get(prompts) ?? null;
    if (kept !== null) return { ...kept, dispose: () => undefined };
    const made = await encoder.runHeld(encoderFeeds(batch, this.#config), ['hidden'], own);
    const hidden = made.get('hidden')!;
    const { shape, data } = hidden;
    if (data instanceof Float32Array) this.#states?.add(prompts, { shape, data });
    return hidden;
  }

  /** A row that has ended is fed on with padding until all have: it changes no other row. */
  async #decodeGreedily(
    rowCount: number,
    maxNewTokens: number,
    next: NextLogits,
  ): Promise<Int32Array[]> {
    const { vocabularySize, startId, endIds, padId } = this.#config;
    const answers = Array.from({ length: rowCount }, (): number[] => []);
    const ended = new Set<number>();
    for (let step = 0; step < maxNewTokens && ended.size < rowCount; step++) {
      const soFar = answers.flatMap((answer) => [startId, ...padTo(answer, step, padId)]);
      const chosen = argmaxRows(await next(Int32Array.from(soFar)), vocabularySize);
      for (const [row, id] of chosen.entries()) {
        if (ended.has(row)) continue;
        if (endIds.includes(id)) ended.add(row);
        else answers[row]!.push(id);
      }
    }
    return answers.map((answer) => Int32Array.from(answer));
  }

  /** Lets messages in between two runs, and ends the work where one says so. */
  async #yieldUnlessOver(signal: AbortSignal | undefined): Promise<void> {
    await yieldToEventLoop();
    signal?.throwIfAborted();
    if (this.#disposed) throw disposedError();
  }

  /** Of all weights; what graphs share is listed once. */
  #shapes(): Map<string, readonly number[]> {
    const { encoder, sources, decoder } = this.#graphs;
    return new Map([...encoder.weights, ...sources.weights, ...decoder.weights]);
  }

  #open(): Promise<Graphs<GraphSession>> {
    if (this.#disposed) throw disposedError();
    this.#sessions ??= this.#create().catch((cause: unknown) => {
      this.#sessions = null;
      throw cause;
    });
    return this.#sessions;
  }

  async #create(): Promise<Graphs<GraphSession>> {
    const open = ({ model }: T5Graph, kept: readonly string[] = []) =>
      createGraphSession(model, this.#provider, kept);
    const encoder = await open(this.#graphs.encoder, this.#states === null ? ['hidden'] : []);
    const sources = await open(this.#graphs.sources, this.#sourceNames);
    const decoder = await open(this.#graphs.decoder);
    return { encoder, sources, decoder };
  }
}

function lanesOf({ encoder, sources, decoder }: Graphs<GraphSession>): Lane[] {
  return encoder.lanes.map((lane, i) => {
    return {
      queue: lane.queue,
      encoder: lane,
      sources: sources.lanes[i]!,
      decoder: decoder.lanes[i]!,
    };
  });
}

/** [rows, answer] ids so far -> [rows, vocabulary]. */
type NextLogits = (answers: Int32Array) => Promise<Float32Array>;
type AnswerBatch = (batch: PromptBatch, next: NextLogits) => Promise<void>;

function padTo(answer: readonly number[], length: number, padId: number): number[] {
  return [...answer, ...new Array<number>(length - answer.length).fill(padId)];
}

function heldBytes(outputs: Iterable<HeldOutput>): number {
  let bytes = 0;
  for (const { data } of outputs) if ('size' in data) bytes += data.size;
  return bytes;
}

function disposedError(): PeruError {
  return new PeruError(
    'internal',
    'The evaluator was used after it was disposed.',
    'This is a fault in Peru: please report it with the steps that led here.',
  );
}
