import { type Remote, wrap } from 'comlink';

/** Workers of the worker that run one script. */
export interface OwnWorkers<T> {
  readonly all: readonly Remote<T>[];
  /** Tells what was said when one of them stopped by itself. */
  readonly lost: Promise<string>;
  dispose(): void;
}

/**
 * @param scriptUrl of a script of the page's own that exposes a `T`
 * @param name what developer tools call them, with a number
 */
export function startWorkers<T>(scriptUrl: string, count: number, name: string): OwnWorkers<T> {
  // From a blob, so that it inherits the page's Content-Security-Policy, as the worker above it does.
  const script = `import ${JSON.stringify(new URL(scriptUrl, import.meta.url).href)};`;
  const entry = URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
  const workers = Array.from(
    { length: count },
    (_, i) => new Worker(entry, { type: 'module', name: `${name}-${i + 1}` }),
  );
  const lost = new Promise<string>((resolve) => {
    for (const worker of workers) {
      worker.addEventListener('error', ({ message }) => {
        resolve(message || 'its script could not be loaded');
      });
    }
  });
  return {
    all: workers.map((worker) => wrap<T>(worker)),
    lost,
    dispose() {
      for (const worker of workers) worker.terminate();
      URL.revokeObjectURL(entry);
    },
  };
}

/** As many as there are cores, of which some browsers tell fewer; one where workers can not start any. */
export function coreCount(): number {
  return 'Worker' in globalThis ? Math.max(1, navigator.hardwareConcurrency) : 1;
}
