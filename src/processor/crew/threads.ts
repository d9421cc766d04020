/**
 * Threads that compute for the engine. They share no memory: each owns the same part of every chunk,
 * so only what an operation asks and finds crosses between them, with and without cross-origin
 * isolation. `src/platform/` starts them.
 */
import { expose, releaseProxy, type Remote, wrap } from 'comlink';
import { type ComputeThread, createComputeThread } from '../thread/compute-thread';

export interface Threads {
  /** At least one. */
  readonly all: readonly Remote<ComputeThread>[];
  /** Settles when a thread has ended by itself, with the reason; never rejects. */
  readonly lost: Promise<string>;
  dispose(): void;
}

/** "Threads" of the calling thread, each behind a port: for tests, and where none can be started. */
export function inlineThreads(count: number): Threads {
  const channels = Array.from({ length: count }, () => new MessageChannel());
  for (const { port1 } of channels) expose(createComputeThread(), port1);
  const all = channels.map(({ port2 }) => wrap<ComputeThread>(port2));
  return {
    all,
    lost: new Promise(() => undefined),
    dispose() {
      for (const remote of all) remote[releaseProxy]();
      for (const { port1, port2 } of channels) {
        port1.close();
        port2.close();
      }
    },
  };
}
