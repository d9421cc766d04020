/**
 * Waits for work no longer than until `signal` aborts, then rejects with its reason; the work goes
 * on by itself.
 */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  // Told here or nowhere.
  work.catch(() => undefined);
  signal.throwIfAborted();
  return new Promise<T>((resolve, reject) => {
    const stop = (): void => {
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', stop, { once: true });
    const over = (): void => {
      signal.removeEventListener('abort', stop);
    };
    work.then(resolve, reject).finally(over);
  });
}
