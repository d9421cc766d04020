/**
 * Several runtimes, each in a thread of its own: lanes that compute side by side. One runtime with
 * as many threads waits for the slowest of them at every operator, so that it is slower than with
 * one thread wherever something else wants a core, and needs a cross-origin isolated page.
 */
import { PeruError } from '@/core/errors';
import { type Feeds, type GraphLane, type GraphSession, NO_WEIGHTS } from './graph-session';
import { Lane, SharedCopies } from './lane';
import { type LaneHost, valueOf } from './lane-messages';

/** Threads with a runtime each, as the platform starts them. */
export interface LaneThreads {
  readonly all: readonly LaneHost[];
  /** Tells what was said when one of them stopped by itself. */
  readonly lost: Promise<string>;
  dispose(): void;
}

export class Lanes {
  readonly count: number;
  readonly #start: (count: number) => LaneThreads;
  #started: { readonly threads: LaneThreads; readonly lanes: readonly Lane[] } | null = null;
  /** Rejects once the threads are gone: nothing may wait for their answers for ever. */
  readonly #gone: Promise<never>;
  #end: (reason: PeruError) => void = () => undefined;

  /** @param start starts so many threads; asked when the first graph is opened */
  constructor(count: number, start: (count: number) => LaneThreads) {
    this.count = count;
    this.#start = start;
    this.#gone = new Promise((_, reject) => {
      this.#end = reject;
    });
    this.#gone.catch(() => undefined);
  }

  /** As `createGraphSession`, in every lane. */
  async open(model: Uint8Array, keptOutputs: readonly string[]): Promise<GraphSession> {
    const open = async (lane: Lane) =>
      new OpenLane(lane, valueOf(await lane.ask((host) => host.open(model, keptOutputs))));
    return new LanesSession(await Promise.all(this.#lanes().map(open)));
  }

  dispose(): void {
    this.#end(ended());
    this.#started?.threads.dispose();
  }

  #lanes(): readonly Lane[] {
    if (this.#started === null) {
      const threads = this.#start(this.count);
      void threads.lost.then((message) => {
        this.#end(stopped(message));
      });
      const copies = new SharedCopies();
      const lanes = threads.all.map((host) => new Lane(host, copies, this.#gone));
      this.#started = { threads, lanes };
    }
    return this.#started.lanes;
  }
}

/** A graph in one lane. */
class OpenLane implements GraphLane {
  readonly #lane: Lane;
  readonly #session: number;

  constructor(lane: Lane, session: number) {
    this.#lane = lane;
    this.#session = session;
  }

  get queue() {
    return this.#lane.queue;
  }

  async run(feeds: Feeds, output: string, weights = NO_WEIGHTS): Promise<Float32Array> {
    const made = await this.runHeld(feeds, [output], weights);
    const data = made.get(output)?.data;
    if (data instanceof Float32Array) return data;
    throw new TypeError(`Output ${output} is kept in its lane.`);
  }

  runHeld(feeds: Feeds, outputs: readonly string[], weights = NO_WEIGHTS) {
    return this.#lane.run(this.#session, feeds, outputs, weights);
  }

  close(): Promise<void> {
    return this.#lane.ask((host) => host.close(this.#session));
  }
}

class LanesSession implements GraphSession {
  readonly lanes: readonly OpenLane[];

  constructor(lanes: readonly OpenLane[]) {
    this.lanes = lanes;
  }

  get queue() {
    return this.#first.queue;
  }

  run(feeds: Feeds, output: string, weights?: Feeds) {
    return this.#first.run(feeds, output, weights);
  }

  runHeld(feeds: Feeds, outputs: readonly string[], weights?: Feeds) {
    return this.#first.runHeld(feeds, outputs, weights);
  }

  async release(): Promise<void> {
    await Promise.all(this.lanes.map((lane) => lane.close()));
  }

  get #first(): OpenLane {
    const [first] = this.lanes;
    if (first === undefined) throw new RangeError('There are no lanes.');
    return first;
  }
}

function stopped(message: string): PeruError {
  return new PeruError(
    'worker-stopped',
    `A worker that computes accuracy stopped: ${message}.`,
    'Try again; if it happens once more, reload the page and close other tabs.',
  );
}

function ended(): PeruError {
  return new PeruError(
    'internal',
    'The evaluator was used after it was disposed.',
    'This is a fault in Peru: please report it with the steps that led here.',
  );
}
