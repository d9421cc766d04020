import { proxy, type Remote, wrap } from 'comlink';
import { type ErrorFacts } from '@/core/errors';
import { type JobOutcome } from '@/protocol/events';
import { type PeruWorker } from '@/protocol/peru-worker';
import workerUrl from './peru-worker.ts?worker&url';

/**
 * The worker's surface; event callbacks travel as Comlink proxies. Every `open` starts a fresh
 * worker: the memory of what was open goes with the old one, and so does whatever broke in it.
 */
export function connectWorker(): PeruWorker {
  let running: RunningWorker | null = null;
  const ask = async (
    question: (remote: Remote<PeruWorker>) => Promise<JobOutcome>,
  ): Promise<JobOutcome> => {
    if (running === null) throw new Error('The worker was asked before anything was open.');
    return Promise.race([question(running.remote), running.stopped]);
  };
  return {
    open: (request, choices, onEvent) => {
      running?.stop({ status: 'cancelled' });
      running = startWorker();
      const opened = running.remote.open(request, choices, proxy(onEvent));
      return Promise.race([opened, running.stopped]);
    },
    plan: (choices, onEvent) => ask((remote) => remote.plan(choices, proxy(onEvent))),
    load: (onEvent) => ask((remote) => remote.load(proxy(onEvent))),
    run: (recipe, onEvent, goal) => ask((remote) => remote.run(recipe, proxy(onEvent), goal)),
    export: (request, onEvent) => ask((remote) => remote.export(request, proxy(onEvent))),
    exportedFile: async (path) => {
      if (running === null) return null;
      const gone = running.stopped.then(() => null);
      return Promise.race([running.remote.exportedFile(path), gone]);
    },
    zip: (onEvent) => ask((remote) => remote.zip(proxy(onEvent))),
    saveTo: (folder, onEvent) => ask((remote) => remote.saveTo(folder, proxy(onEvent))),
    upload: (request, onEvent) => ask((remote) => remote.upload(request, proxy(onEvent))),
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
    stop({ status: 'failed', error: stoppedBecause(event.message) });
  });
  return { remote: wrap<PeruWorker>(worker), stopped, stop };
}

/** An error event without a message tells that a script could not be fetched. */
function stoppedBecause(message: string): ErrorFacts {
  if (message === '' && !navigator.onLine) {
    return {
      kind: 'source',
      message: 'A part of the page could not be loaded: this machine is offline.',
      hint: 'Connect to the network and try again.',
      mayPass: true,
    };
  }
  return {
    kind: 'worker-stopped',
    message: `The worker stopped: ${message || 'its script could not be loaded'}.`,
    hint: 'Try again; if it happens once more, reload the page and close other tabs.',
    mayPass: true,
  };
}
