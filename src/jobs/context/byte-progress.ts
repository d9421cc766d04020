import { type JobContext } from './job-context';

/** A stage that goes through a known number of bytes is told this often, not with every piece. */
const STEPS = 256;

/** Tells how far a stage has come, in bytes. */
export class ByteProgress {
  readonly #emit: JobContext['emit'];
  readonly #total: number;
  #stage = '';
  #done = 0;
  #told = 0;

  constructor(emit: JobContext['emit'], totalBytes: number) {
    this.#emit = emit;
    this.#total = totalBytes;
  }

  /** What happens from now on, for people. */
  stage(name: string): void {
    this.#stage = name;
    this.#tell();
  }

  readonly add = (bytes: number): void => {
    this.#done += bytes;
    if (this.#done - this.#told >= this.#total / STEPS || this.#done === this.#total) this.#tell();
  };

  #tell(): void {
    this.#told = this.#done;
    const total = Math.max(this.#total, this.#done);
    const progress = { stage: this.#stage, done: this.#done, total, unit: 'bytes' as const };
    this.#emit({ type: 'progress', progress });
  }
}
