import { type JobEvent } from '@/protocol/events';

/** What a job is heard through and stopped by. */
export interface JobContext {
  readonly emit: (event: JobEvent) => void;
  readonly signal: AbortSignal;
}

/**
 * Whichever job works now. What one job opens, later ones read: files and streamed
 * weights must report to, and stop with, the job that reads them.
 */
export class CurrentJob implements JobContext {
  #now: JobContext;

  constructor(first: JobContext) {
    this.#now = first;
  }

  readonly emit = (event: JobEvent): void => {
    this.#now.emit(event);
  };

  get signal(): AbortSignal {
    return this.#now.signal;
  }

  handTo(job: JobContext): void {
    this.#now = job;
  }
}
