/** Work that goes on while what comes next is made ready: so many pieces at once, ended in order. */
export class Ahead {
  readonly #atOnce: number;
  readonly #running: Promise<void>[] = [];

  constructor(atOnce: number) {
    this.#atOnce = atOnce;
  }

  /**
   * Waits until there is room for another piece.
   *
   * @throws what a piece rejected with
   */
  async room(): Promise<void> {
    while (this.#running.length >= this.#atOnce) await this.#running.shift();
  }

  /** @param work begins now; gets what ends when all pieces before it have */
  begin(work: (before: Promise<void>) => Promise<void>): void {
    const before = this.#running.at(-1) ?? Promise.resolve();
    const running = Promise.all([work(before), before]).then(() => undefined);
    // Told by `room` or `end`.
    running.catch(() => undefined);
    this.#running.push(running);
  }

  /** @throws what a piece rejected with */
  async end(): Promise<void> {
    await Promise.all(this.#running.splice(0));
  }
}
