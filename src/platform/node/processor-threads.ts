/** Threads of the processor engine in Node. */
import { Worker } from 'node:worker_threads';
import { type Remote, wrap } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { type Threads } from '@/processor/crew/threads';
import { type ComputeThread } from '@/processor/thread/compute-thread';

/**
 * @param script `processor-thread.ts` as it was built
 * @param count how many
 */
export function nodeThreads(script: URL, count: number): Threads {
  const workers = Array.from({ length: count }, () => new Worker(script));
  const lost = new Promise<string>((resolve) => {
    for (const worker of workers) {
      worker.on('error', (error) => {
        resolve(error instanceof Error ? error.message : String(error));
      });
    }
  });
  const all: Remote<ComputeThread>[] = workers.map((worker) =>
    wrap<ComputeThread>(nodeEndpoint(worker)),
  );
  return {
    ...{ all, lost },
    dispose() {
      for (const worker of workers) void worker.terminate();
    },
  };
}
