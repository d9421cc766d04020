/** Drawing takes cores from the work that it tells of: five times a second is often enough. */
const SHOWN_EVERY_MS = 200;

/** What comes in bursts, shown together. */
export class Paced<T> {
  readonly #show: (all: readonly T[]) => void;
  #waiting: T[] = [];
  #timer: ReturnType<typeof setTimeout> | null = null;

  /** @param show gets what has come, at least one, in order */
  constructor(show: (all: readonly T[]) => void) {
    this.#show = show;
  }

  add(one: T): void {
    this.#waiting.push(one);
    this.#timer ??= setTimeout(() => {
      this.flush();
    }, SHOWN_EVERY_MS);
  }

  /** Shows now what waits. */
  flush(): void {
    const all = this.#take();
    if (all.length > 0) this.#show(all);
  }

  /** Forgets what waits. */
  drop(): void {
    this.#take();
  }

  #take(): readonly T[] {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    return this.#waiting.splice(0);
  }
}
