/** What graphs are run by: providers, sessions, and the runtimes that a session is open in. */
import { type WeightData } from '@/tensor/weight-data';
import { type Lanes } from './lanes';

/** `wasm` computes on the CPU; `webgpu` on the device it is given. */
export type Provider = WasmProvider | { readonly kind: 'webgpu'; readonly device: GPUDevice };

export interface WasmProvider {
  readonly kind: 'wasm';
  /** Runtimes in threads of their own; without them, one in this thread. */
  readonly lanes?: Lanes;
  /** Of the runtime in this thread; as many as suit the machine by default. */
  readonly threads?: number;
}

/**
 * A value fed to a graph: weights wherever they lie, or token ids. A GPU buffer needs usage
 * STORAGE and a size rounded up to 16 bytes, for shaders that read four floats at a time.
 */
export interface FeedData {
  readonly shape: readonly number[];
  readonly data: WeightData | Int32Array | HeldInLane;
}

/** Stands for an output that is kept in the thread of a lane, and can be fed to a graph there. */
export class HeldInLane {
  readonly number: number;

  constructor(number: number) {
    this.number = number;
  }
}

export type Feeds = ReadonlyMap<string, FeedData>;

export const NO_WEIGHTS: Feeds = new Map();

/** A float32 output that stays where the graph left it, to be fed to another graph there. */
export interface HeldOutput extends FeedData {
  /** An array, a buffer of onnxruntime's on the GPU, or what stands for it in another thread. */
  readonly data: WeightData | HeldInLane;
  /** Frees it once every run asked for before has ended; an array needs no freeing. */
  dispose(): void;
}

/**
 * Of a thread that computes for this one: each place ends when what was asked for at it has. Two of
 * them, so that one run is on its way while another is computed.
 */
export type LaneQueue = Promise<unknown>[];

/** A graph in one runtime. Runs are queued: onnxruntime takes one at a time. */
export interface GraphLane {
  /** Places in the queue of its thread (`overLanes`); null where it computes in this one. */
  readonly queue: LaneQueue | null;
  /**
   * Computes one float32 output of the graph.
   *
   * @param feeds inputs of the graph by name
   * @param weights its other inputs, and maybe those of other graphs; the same map, unchanged, is
   *   brought to another thread once
   * @throws PeruError 'device-lost', 'out-of-memory', 'worker-stopped', or 'internal' when
   *   onnxruntime refuses the feeds
   */
  run(feeds: Feeds, output: string, weights?: Feeds): Promise<Float32Array>;
  /**
   * Computes several float32 outputs in one run. Those named in `keptOutputs` stay on the GPU, or
   * in the lane's thread; the caller disposes of every output before it releases the session.
   *
   * @throws PeruError as `run`
   */
  runHeld(
    feeds: Feeds,
    outputs: readonly string[],
    weights?: Feeds,
  ): Promise<Map<string, HeldOutput>>;
}

/** One graph, ready to run; asked itself, its first lane answers. */
export interface GraphSession extends GraphLane {
  /** Of every runtime, at least one, in the provider's order. */
  readonly lanes: readonly GraphLane[];
  release(): Promise<void>;
}
