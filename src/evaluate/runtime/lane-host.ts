/** A lane's end in its own thread: the runtime there, and what it keeps from run to run. */
import { transfer } from 'comlink';
import { type FeedData, type Feeds, type GraphSession } from './graph-session';
import { type LaneArray, type LaneFeed, type LaneHost, outcomeOf } from './lane-messages';
import { createGraphSession } from './session';

interface Opened {
  readonly session: GraphSession;
  readonly keptOutputs: readonly string[];
}

export function createLaneHost(): LaneHost {
  const sessions = new Map<number, Opened>();
  const kept = new Map<number, FeedData>();
  let arrays = new Map<number, LaneArray>();
  let weights: Feeds = new Map();
  let nextNumber = 0;

  const feedOf = ({ shape, data }: LaneFeed): FeedData => {
    return typeof data === 'number' ? known(kept, data) : { shape, data };
  };
  const keep = (output: FeedData): LaneFeed => {
    const number = nextNumber++;
    kept.set(number, output);
    return { shape: output.shape, data: number };
  };

  return {
    open: (model, keptOutputs) =>
      outcomeOf(async () => {
        const session = await createGraphSession(model, { kind: 'wasm', threads: 1 });
        const number = nextNumber++;
        sessions.set(number, { session, keptOutputs });
        return number;
      }),
    useWeights: (named, added) => {
      const all = new Map([...arrays, ...added]);
      arrays = new Map(named.map(({ array }) => [array, known(all, array)]));
      weights = new Map(
        named.map(({ name, shape, array }) => [name, { shape, data: known(all, array) }]),
      );
      return Promise.resolve();
    },
    run: async (number, feeds, outputs) => {
      const buffers: ArrayBuffer[] = [];
      const outcome = await outcomeOf(async () => {
        const { session, keptOutputs } = known(sessions, number);
        const inputs = new Map([...feeds].map(([name, feed]) => [name, feedOf(feed)] as const));
        const made = await session.runHeld(inputs, outputs, weights);
        return new Map(
          [...made].map(([name, { shape, data }]) => {
            if (keptOutputs.includes(name)) return [name, keep({ shape, data })];
            // A runtime on the CPU gives arrays, each with a buffer of its own.
            const array = data as Float32Array<ArrayBuffer>;
            buffers.push(array.buffer);
            return [name, { shape, data: array }];
          }),
        );
      });
      return transfer(outcome, buffers);
    },
    drop: (output) => {
      kept.delete(output);
      return Promise.resolve();
    },
    close: async (number) => {
      const { session } = known(sessions, number);
      sessions.delete(number);
      await session.release();
    },
  };
}

function known<T>(values: ReadonlyMap<number, T>, number: number): T {
  const value = values.get(number);
  if (value === undefined) throw new RangeError(`There is no ${number} in this lane.`);
  return value;
}
