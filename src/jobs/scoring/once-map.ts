import { unlessAborted } from '@/core/unless-aborted';

/** Values made on first use, and shared by all who ask for them; a failure is not kept. */
export class OnceMap<Key, Value> {
  readonly #made = new Map<Key, Promise<Value>>();

  /** Waits no longer than the job lasts: what is on its way arrives for the next one. */
  get(key: Key, signal: AbortSignal, make: () => Promise<Value>): Promise<Value> {
    return unlessAborted(this.#once(key, make), signal);
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
