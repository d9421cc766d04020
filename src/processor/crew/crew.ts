/** Asks all threads at once, and ends with an error where one has ended or has no memory left. */
import { type Remote } from 'comlink';
import { PeruError } from '@/core/errors';
import { type ComputeThread } from '../thread/compute-thread';
import { type Threads } from './threads';

export class Crew {
  readonly #threads: Threads;
  /** Rejects once a thread has ended; every question is raced against it. */
  readonly #lost: Promise<never>;

  constructor(threads: Threads) {
    this.#threads = threads;
    this.#lost = threads.lost.then((reason) => {
      throw new PeruError(
        'worker-stopped',
        `A thread that computes ended: ${reason}.`,
        'Try again; if it happens once more, close other tabs or lower the memory budget.',
      );
    });
    this.#lost.catch(() => undefined); // told by whoever asks
  }

  get size(): number {
    return this.#threads.all.length;
  }

  /** Answers in the order of the threads. */
  async ask<T>(
    question: (thread: Remote<ComputeThread>, part: number) => Promise<T>,
  ): Promise<T[]> {
    return this.#raced(Promise.all(this.#threads.all.map(question)));
  }

  /** Asks the thread that has a part. */
  async askOne<T>(
    part: number,
    question: (thread: Remote<ComputeThread>) => Promise<T>,
  ): Promise<T> {
    return this.#raced(question(this.#threads.all[part]!));
  }

  async #raced<T>(answer: Promise<T>): Promise<T> {
    answer.catch(() => undefined); // where the race is over before
    try {
      return await Promise.race([answer, this.#lost]);
    } catch (error) {
      throw error instanceof PeruError ? error : fromThread(error);
    }
  }
}

/** Errors of other threads arrive as plain ones; a RangeError is an array that found no room. */
function fromThread(cause: unknown): PeruError {
  const message = cause instanceof Error ? cause.message : String(cause);
  if (cause instanceof Error && cause.name === 'RangeError') {
    return new PeruError(
      'out-of-memory',
      `There was no memory for this step (${message}).`,
      'Lower the memory budget, so that weights are streamed, or close other tabs and programs.',
      { cause },
    );
  }
  return new PeruError('internal', message, 'Please report this fault in Peru.', { cause });
}
