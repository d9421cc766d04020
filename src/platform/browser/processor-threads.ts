/** Threads of the processor engine in a browser: workers of the worker. */
import { type Remote, wrap } from 'comlink';
import { inlineThreads, type Threads } from '@/processor/crew/threads';
import { type ComputeThread } from '@/processor/thread/compute-thread';
import threadUrl from './processor-thread.ts?worker&url';

/** More threads than this wait for memory, not for each other. */
const MOST_THREADS = 16;

/**
 * As many as there are cores, of which some browsers tell fewer; this thread alone where workers can
 * not start others.
 */
export function browserThreads(): Threads {
  if (!('Worker' in globalThis)) return inlineThreads(1);
  const count = Math.max(1, Math.min(MOST_THREADS, navigator.hardwareConcurrency));
  // From a blob, so that it inherits the page's Content-Security-Policy, as the worker above it does.
  const url = new URL(threadUrl, import.meta.url).href;
  const script = `import ${JSON.stringify(url)};`;
  const entry = URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
  const workers = Array.from(
    { length: count },
    (_, i) => new Worker(entry, { type: 'module', name: `peru-${i}` }),
  );
  const lost = new Promise<string>((resolve) => {
    for (const worker of workers) {
      worker.addEventListener('error', ({ message }) => {
        resolve(message || 'its script could not be loaded');
      });
    }
  });
  const all: Remote<ComputeThread>[] = workers.map((worker) => wrap<ComputeThread>(worker));
  return {
    ...{ all, lost },
    dispose() {
      for (const worker of workers) worker.terminate();
      URL.revokeObjectURL(entry);
    },
  };
}
