/** What goes between a lane's two ends: plain facts and arrays. */
import { type ErrorFacts, errorFacts, PeruError } from '@/core/errors';

export type LaneArray = Float32Array | Int32Array;

/** A value, or the number of an output that is kept in the lane's thread. */
export interface LaneFeed {
  readonly shape: readonly number[];
  readonly data: LaneArray | number;
}

/** A weight, and the number of the array it is in. */
export interface LaneWeight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly array: number;
}

/** Of an error thrown in another thread only plain facts survive the way. */
export type LaneOutcome<T> = { readonly value: T } | { readonly failure: ErrorFacts };

export async function outcomeOf<T>(work: () => Promise<T>): Promise<LaneOutcome<T>> {
  try {
    return { value: await work() };
  } catch (error) {
    return { failure: errorFacts(error) };
  }
}

/** @throws PeruError what failed in the other thread */
export function valueOf<T>(outcome: LaneOutcome<T>): T {
  if ('value' in outcome) return outcome.value;
  const { kind, message, hint, ...answers } = outcome.failure;
  throw new PeruError(kind, message, hint, answers);
}

/** What a lane's thread can be asked; messages are taken up in their order. */
export interface LaneHost {
  /** Compiles a graph; the value is its session's number. */
  open(model: Uint8Array, keptOutputs: readonly string[]): Promise<LaneOutcome<number>>;
  /** Weights of the runs to come, in `added` arrays and ones that are there; others go. */
  useWeights(named: readonly LaneWeight[], added: ReadonlyMap<number, LaneArray>): Promise<void>;
  /** Runs a session; kept outputs come as numbers. */
  run(
    session: number,
    feeds: ReadonlyMap<string, LaneFeed>,
    outputs: readonly string[],
  ): Promise<LaneOutcome<ReadonlyMap<string, LaneFeed>>>;
  /** Forgets an output that was kept. */
  drop(output: number): Promise<void>;
  close(session: number): Promise<void>;
}
