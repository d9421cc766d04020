import { proxy, wrap } from 'comlink';
import { type JobOutcome, type PeruWorker } from './protocol';

/** Starts the worker and returns its surface; event callbacks travel as Comlink proxies. */
export function connectWorker(): PeruWorker {
  const worker = new Worker(new URL('./peru-worker.ts', import.meta.url), {
    type: 'module',
    name: 'peru',
  });
  const remote = wrap<PeruWorker>(worker);
  const crash = crashOf(worker);
  return {
    open: (request, onEvent) => Promise.race([remote.open(request, proxy(onEvent)), crash]),
    run: (recipe, onEvent) => Promise.race([remote.run(recipe, proxy(onEvent)), crash]),
    cancel: () => remote.cancel(),
  };
}

/** Settles only when the worker itself dies, so that no call waits for ever. */
function crashOf(worker: Worker): Promise<JobOutcome> {
  return new Promise((resolve) => {
    worker.addEventListener('error', (event) => {
      resolve({
        status: 'failed',
        error: {
          kind: 'internal',
          message: `The worker stopped: ${event.message || 'its script could not be loaded'}.`,
          hint: 'Reload the page; if it happens again, close other tabs to free memory.',
        },
      });
    });
  });
}
