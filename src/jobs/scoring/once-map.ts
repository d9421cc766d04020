/** Values made on first use, and shared by all who ask for them; a failure is not kept. */
export class OnceMap<Key, Value> {
  readonly #made = new Map<Key, Promise<Value>>();

  /** Waits no longer than the job lasts: what is on its way arrives for the next one. */
  get(key: Key, signal: AbortSignal, make: () => Promise<Value>): Promise<Value> {
    return whileJobLasts(this.#once(key, make), signal);
  }

  /** The value is made again when it is asked for again. */
  forget(key: Key): void {
    this.#made.delete(key);
  }

  #once(key: Key, make: () => Promise<Value>): Promise<Value> {
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const making = make();
    this.#made.set(key, making);
    making.catch(() => this.#made.delete(key));
    return making;
  }
}

async function whileJobLasts<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
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
