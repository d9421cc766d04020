/** A lane's end where it is asked: feeds go over as copies, weights once for each model. */
import { transfer } from 'comlink';
import { PeruError } from '@/core/errors';
import {
  type FeedData,
  type Feeds,
  HeldInLane,
  type HeldOutput,
  type LaneQueue,
} from './graph-session';
import {
  type LaneArray,
  type LaneFeed,
  type LaneHost,
  type LaneWeight,
  valueOf,
} from './lane-messages';

/** What each array is called in all lanes. */
const numbers = new WeakMap<LaneArray, number>();
let nextNumber = 0;

/** Copies of a model's arrays that all lanes read, where threads can share memory: of one model. */
export class SharedCopies {
  #weights: Feeds | null = null;
  #copies: ReadonlyMap<LaneArray, LaneArray> = new Map();

  /** By array; none where threads can not share memory. */
  of(weights: Feeds): ReadonlyMap<LaneArray, LaneArray> {
    if (weights === this.#weights || !globalThis.crossOriginIsolated) return this.#copies;
    const arrays = [...weights.values()].map(({ data }) => arrayOf(data));
    this.#copies = new Map(
      [...new Set(arrays)].map((array) => [array, this.#copies.get(array) ?? shared(array)]),
    );
    this.#weights = weights;
    return this.#copies;
  }
}

export class Lane {
  readonly queue: LaneQueue = [Promise.resolve(), Promise.resolve()];
  readonly #host: LaneHost;
  readonly #copies: SharedCopies;
  readonly #gone: Promise<never>;
  /** The weights that lie there, and the numbers of their arrays. */
  #weights: Feeds | null = null;
  #there: ReadonlySet<number> = new Set();

  /** @param gone rejects once the thread is gone */
  constructor(host: LaneHost, copies: SharedCopies, gone: Promise<never>) {
    this.#host = host;
    this.#copies = copies;
    this.#gone = gone;
  }

  /** @throws PeruError 'worker-stopped' where the thread is gone, or goes */
  ask<T>(question: (host: LaneHost) => Promise<T>): Promise<T> {
    return Promise.race([this.#gone, question(this.#host)]);
  }

  /** Runs a session of the thread's. */
  async run(
    session: number,
    feeds: Feeds,
    outputs: readonly string[],
    weights: Feeds,
  ): Promise<Map<string, HeldOutput>> {
    try {
      const buffers: ArrayBuffer[] = [];
      const inputs = new Map(
        [...feeds].map(([name, feed]) => [name, this.#fed(feed, buffers)] as const),
      );
      // Asked in one go: messages keep their order, so the run meets its weights.
      const [, outcome] = await Promise.all([
        this.#useWeights(weights),
        this.ask((host) => host.run(session, transfer(inputs, buffers), outputs)),
      ]);
      return new Map([...valueOf(outcome)].map(([name, made]) => [name, this.#output(made)]));
    } catch (cause) {
      // What a copy is refused with where there is no room for it.
      if (cause instanceof DOMException || cause instanceof RangeError) throw noRoom(cause);
      throw cause;
    }
  }

  async #useWeights(weights: Feeds): Promise<void> {
    if (weights === this.#weights) return;
    const added = new Map<number, LaneArray>();
    const buffers: ArrayBuffer[] = [];
    const copies = this.#copies.of(weights);
    const named = [...weights].map(([name, { shape, data }]): LaneWeight => {
      const array = arrayOf(data);
      const number = numberOf(array);
      if (!this.#there.has(number) && !added.has(number)) {
        added.set(number, copies.get(array) ?? copied(array, buffers));
      }
      return { name, shape, array: number };
    });
    this.#weights = weights;
    this.#there = new Set(named.map(({ array }) => array));
    try {
      await this.ask((host) => host.useWeights(named, transfer(added, buffers)));
    } catch (error) {
      this.#weights = null;
      this.#there = new Set();
      throw error;
    }
  }

  #fed({ shape, data }: FeedData, buffers: ArrayBuffer[]): LaneFeed {
    if (data instanceof HeldInLane) return { shape, data: data.number };
    return { shape, data: copied(arrayOf(data), buffers) };
  }

  #output({ shape, data }: LaneFeed): HeldOutput {
    if (typeof data !== 'number') {
      return { shape, data: data as Float32Array, dispose: () => undefined };
    }
    const dispose = () => {
      // Where the thread is gone, so is the output.
      this.ask((host) => host.drop(data)).catch(() => undefined);
    };
    return { shape, data: new HeldInLane(data), dispose };
  }
}

/** Lanes compute on the CPU: nothing that is fed to them lies on a GPU. */
function arrayOf(data: FeedData['data']): LaneArray {
  if (data instanceof Float32Array || data instanceof Int32Array) return data;
  throw new TypeError('A lane was fed what is no array.');
}

function numberOf(array: LaneArray): number {
  const number = numbers.get(array) ?? nextNumber++;
  numbers.set(array, number);
  return number;
}

function shared(array: LaneArray): LaneArray {
  const buffer = new SharedArrayBuffer(array.byteLength);
  const copy = array instanceof Int32Array ? new Int32Array(buffer) : new Float32Array(buffer);
  copy.set(array);
  return copy;
}

/** A copy to hand over: only that much is sent of a larger buffer. */
function copied(array: LaneArray, buffers: ArrayBuffer[]): LaneArray {
  const copy = array.slice();
  buffers.push(copy.buffer);
  return copy;
}

function noRoom(cause: Error): PeruError {
  return new PeruError(
    'out-of-memory',
    `There was not enough memory to bring a model to a worker that computes accuracy: ${cause.message}`,
    'Close other tabs and try again, or take a smaller model.',
    { cause },
  );
}
