import { proxy, type Remote, wrap } from 'comlink';
import { type JobOutcome, type PeruWorker } from './protocol';
import workerUrl from './peru-worker.ts?worker&url';

/**
 * The worker's surface; event callbacks travel as Comlink proxies. Every `open` starts a fresh
 * worker: the memory of what was open goes with the old one, and so does whatever broke in it.
 */
export function connectWorker(): PeruWorker {
  let running: RunningWorker | null = null;
  return {
    open: (request, onEvent) => {
      running?.stop({ status: 'cancelled' });
      running = startWorker();
      return Promise.race([running.remote.open(request, proxy(onEvent)), running.stopped]);
    },
    run: async (recipe, onEvent) => {
      if (running === null) throw new Error('A recipe was run before anything was open.');
      return Promise.race([running.remote.run(recipe, proxy(onEvent)), running.stopped]);
    },
    cancel: async () => {
      if (running === null) return;
      await Promise.race([running.remote.cancel(), running.stopped]);
    },
  };
}

interface RunningWorker {
  readonly remote: Remote<PeruWorker>;
  /** Settles only when the worker is gone, so that no call waits for ever. */
  readonly stopped: Promise<JobOutcome>;
  /** Ends the worker; calls in flight get this outcome. */
  readonly stop: (outcome: JobOutcome) => void;
}

function startWorker(): RunningWorker {
  // A worker started from a blob inherits the page's Content-Security-Policy; one started from a
  // file has only what its response's headers say, which a static host may not send.
  const script = `import ${JSON.stringify(new URL(workerUrl, document.baseURI).href)};`;
  const entry = URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
  const worker = new Worker(entry, { type: 'module', name: 'peru' });
  let settle: (outcome: JobOutcome) => void = () => undefined;
  const stopped = new Promise<JobOutcome>((resolve) => {
    settle = resolve;
  });
  const stop = (outcome: JobOutcome): void => {
    worker.terminate();
    URL.revokeObjectURL(entry);
    settle(outcome);
  };
  worker.addEventListener('error', (event) => {
    const reason = event.message || 'its script could not be loaded';
    stop({
      status: 'failed',
      error: {
        kind: 'worker-stopped',
        message: `The worker stopped: ${reason}.`,
        hint: 'Try again; if it happens once more, reload the page and close other tabs.',
      },
    });
  });
  return { remote: wrap<PeruWorker>(worker), stopped, stop };
}
