/** After a server has answered "too many requests": for how long nothing more is sent to it. */
import { type Pause } from '@/formats/checkpoint/checkpoint-source';
import { type Clock } from '@/core/clock';

export interface CooldownOptions {
  readonly clock: Clock;
  /** Told when a pause begins or grows, and null when requests go out again. */
  readonly onPause?: ((pause: Pause | null) => void) | undefined;
}

export class Cooldown {
  readonly #clock: Clock;
  readonly #onPause: (pause: Pause | null) => void;
  #pause: Pause = { host: '', untilMs: 0 };
  #isTold = false;

  constructor({ clock, onPause = () => undefined }: CooldownOptions) {
    this.#clock = clock;
    this.#onPause = onPause;
  }

  begin(host: string, waitMs: number): void {
    const untilMs = this.#clock.now() + waitMs;
    if (untilMs <= this.#pause.untilMs) return;
    this.#pause = { host, untilMs };
    this.#tell();
  }

  /**
   * Waits for the end of the pause, if there is one.
   *
   * @throws the signal's reason once aborted
   */
  async over(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    // It may grow meanwhile, and another job may have been told of it.
    for (let left = this.#leftMs(); left > 0; left = this.#leftMs()) {
      this.#tell();
      await this.#clock.sleep(left, signal);
    }
    if (!this.#isTold) return;
    this.#isTold = false;
    this.#onPause(null);
  }

  #tell(): void {
    this.#isTold = true;
    this.#onPause(this.#pause);
  }

  #leftMs(): number {
    return this.#pause.untilMs - this.#clock.now();
  }
}
