/**
 * The zero-shot classifier: w_c = norm(mean_j norm(text(template_j(c)))), one row a class
 * (Radford et al. 2021, section 3.1.4).
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
import { type ClipConfig } from './clip-config';
import { buildTextGraph, causalMask } from './clip-text';
import { checkWeightsFit } from '@/evaluate/runtime/memory-limit';
import {
  type FeedData,
  type Feeds,
  type GraphLane,
  type GraphSession,
  type Provider,
} from '@/evaluate/runtime/graph-session';
import { overLanes } from '@/evaluate/runtime/over-lanes';
import { createGraphSession } from '@/evaluate/runtime/session';
import { whenSettled } from '@/evaluate/runtime/when-settled';
import { endOfTextPositions, type PromptTokenizer, type TokenBatch, trimTokens } from './tokenize';

/** Stands for the class name in a template. */
const CLASS_MARK = '{c}';
/** Prompts a run: enough to fill the machine, little enough to leave memory for large towers. */
const PROMPTS_TOGETHER = 128;
/** Prompt lengths are rounded up to a multiple of it: few graphs serve all tasks. */
const TOKEN_STEP = 8;

/** Where a tower's tensors come from. */
export interface TensorsOf {
  readonly base: ReadBaseTensor;
  /** Names of those that each model brings instead of the base's; others do no harm. */
  readonly changed: ReadonlySet<string>;
}

export interface HeadOptions {
  /** The model whose text tower speaks: `modelWeights` of it, where there are any. */
  readonly weights?: Pick<ModelWeights, 'tensors'>;
  /** Ends the work between runs of the graph, with its reason. */
  readonly signal?: AbortSignal;
}

/** A graph for prompts of one length, ready to run. */
interface OpenGraph {
  readonly session: GraphSession;
  readonly mask: FeedData;
}

/** The base's text tower, or what models make of it, ready to embed prompts. */
export class TextTower {
  readonly #config: ClipConfig;
  readonly #tokenizer: PromptTokenizer;
  readonly #provider: Provider;
  readonly #read: ReadBaseTensor;
  /** Graphs of every token count want the same weights: those of models, and those of the base. */
  readonly #ownShapes: ReadonlyMap<string, readonly number[]>;
  readonly #baseShapes: ReadonlyMap<string, readonly number[]>;
  /** By token count: prompts are cut to the longest of a call, in steps of a few tokens. */
  readonly #graphs = new Map<number, Promise<OpenGraph>>();
  #weights: Promise<ResidentWeights> | null = null;
  #feeds = new WeightsByModel();
  /** A model that brings nothing. */
  readonly #asBase = { tensors: new Map() };
  #gpuBytes = 0;

  /** @throws PeruError 'unsupported' when the tower is too large for the provider */
  constructor(
    config: ClipConfig,
    tokenizer: PromptTokenizer,
    { base, changed }: TensorsOf,
    provider: Provider,
  ) {
    this.#config = config;
    this.#tokenizer = tokenizer;
    this.#read = base;
    this.#provider = provider;
    const shapes = buildTextGraph(config, 1).weights;
    this.#ownShapes = new Map([...shapes].filter(([name]) => changed.has(name)));
    this.#baseShapes = new Map([...shapes].filter(([name]) => !changed.has(name)));
    checkWeightsFit('text tower', shapes, provider);
  }

  /** Weights that each model brings; the rest is the base's. */
  get modelWeights(): readonly string[] {
    return [...this.#ownShapes.keys()];
  }

  /** Bytes of GPU buffers held for the tower's weights. */
  get gpuBytes(): number {
    return this.#gpuBytes;
  }

  /** Text embeddings of unit length, [prompts, projection]. */
  async embed(prompts: readonly string[], options: HeadOptions = {}): Promise<Float32Array> {
    const tokens = this.#tokenizer.encode(prompts);
    const positions = endOfTextPositions(tokens, this.#config.text);
    return this.embedTokens(tokens, positions, options);
  }

  /** Like `embed`, from token ids and the position at which each prompt is read out. */
  async embedTokens(
    tokens: TokenBatch,
    positions: Int32Array,
    { weights: of = this.#asBase, signal }: HeadOptions = {},
  ): Promise<Float32Array> {
    const { projectionSize } = this.#config;
    const { ids, tokenCount } = trimTokens(tokens, positions, TOKEN_STEP);
    const base = await this.#loadWeights();
    const own = (): Feeds => new Map([...base.feeds, ...modelFeeds(this.#ownShapes, of)]);
    const weights = this.#feeds.get(of, own);
    const { session, mask } = await this.#openGraph(tokenCount);
    const embeds = new Float32Array(tokens.count * projectionSize);
    const embed = async (start: number, lane: GraphLane): Promise<void> => {
      signal?.throwIfAborted();
      const end = Math.min(start + PROMPTS_TOGETHER, tokens.count);
      const poolRows = positions.slice(start, end).map((at, row) => row * tokenCount + at);
      const feeds = new Map<string, FeedData>([
        ['causal_mask', mask],
        [
          'input_ids',
          {
            shape: [end - start, tokenCount],
            data: ids.slice(start * tokenCount, end * tokenCount),
          },
        ],
        ['pool_rows', { shape: [end - start], data: poolRows }],
      ]);
      embeds.set(await lane.run(feeds, 'text_embeds', weights), start * projectionSize);
    };
    const count = Math.ceil(tokens.count / PROMPTS_TOGETHER);
    const starts = Array.from({ length: count }, (_, i) => i * PROMPTS_TOGETHER);
    await overLanes(session.lanes, starts, embed, signal);
    return embeds;
  }

  /** Drops weights and graphs; the next use makes them again. Running calls must have ended. */
  release(): void {
    for (const graph of this.#graphs.values())
      whenSettled(graph, ({ session }) => session.release());
    this.#graphs.clear();
    whenSettled(this.#weights, (weights) => {
      weights.dispose();
    });
    this.#weights = null;
    this.#feeds = new WeightsByModel();
    this.#gpuBytes = 0;
  }

  #openGraph(tokenCount: number): Promise<OpenGraph> {
    let graph = this.#graphs.get(tokenCount);
    if (graph === undefined) {
      graph = this.#createGraph(tokenCount);
      this.#graphs.set(tokenCount, graph);
      graph.catch(() => this.#graphs.delete(tokenCount));
    }
    return graph;
  }

  async #createGraph(tokenCount: number): Promise<OpenGraph> {
    const { model } = buildTextGraph(this.#config, tokenCount);
    const shape = [1, 1, tokenCount, tokenCount];
    return {
      session: await createGraphSession(model, this.#provider),
      mask: { shape, data: causalMask(tokenCount) },
    };
  }

  #loadWeights(): Promise<ResidentWeights> {
    this.#weights ??= this.#readWeights().catch((cause: unknown) => {
      this.#weights = null;
      throw cause;
    });
    return this.#weights;
  }

  async #readWeights(): Promise<ResidentWeights> {
    const weights = await loadBaseWeights(this.#baseShapes, this.#read, this.#provider);
    this.#gpuBytes = weights.gpuBytes;
    return weights;
  }
}

/**
 * Class weights [classes, projection], rows of unit length.
 *
 * @param templates prompts with `{c}` where the class name goes
 * @throws PeruError 'parse' when there is no class, no template, or a template without `{c}`
 */
export async function zeroShotHead(
  tower: Pick<TextTower, 'embed'>,
  classNames: readonly string[],
  templates: readonly string[],
  options: HeadOptions = {},
): Promise<Float32Array> {
  const prompts = fillTemplates(classNames, templates);
  const embeds = await tower.embed(prompts, options);
  return meanDirections(embeds, classNames.length, templates.length);
}

/** All templates of the first class, then of the second, and so on. */
export function fillTemplates(
  classNames: readonly string[],
  templates: readonly string[],
): string[] {
  const broken = templates.find((template) => !template.includes(CLASS_MARK));
  if (classNames.length === 0 || templates.length === 0 || broken !== undefined) {
    const what =
      broken === undefined
        ? `there are ${classNames.length} class names and ${templates.length} templates`
        : `template "${broken}" does not say where the class name goes`;
    throw new PeruError(
      'parse',
      `The task's classes cannot be put into words: ${what}.`,
      `Give at least one class name, and templates with ${CLASS_MARK} for the class name.`,
    );
  }
  return classNames.flatMap((name) =>
    templates.map((template) => template.split(CLASS_MARK).join(name)),
  );
}

/** Mean over each class's rows, brought back to unit length. */
function meanDirections(
  embeds: Float32Array,
  classCount: number,
  templateCount: number,
): Float32Array {
  const size = embeds.length / (classCount * templateCount);
  const head = new Float32Array(classCount * size);
  for (let row = 0; row < classCount; row++) {
    const sum = new Float64Array(size);
    for (let template = 0; template < templateCount; template++) {
      const start = (row * templateCount + template) * size;
      for (let i = 0; i < size; i++) sum[i]! += embeds[start + i]!;
    }
    const length = Math.hypot(...sum);
    for (let i = 0; i < size; i++) head[row * size + i] = sum[i]! / length;
  }
  return head;
}
