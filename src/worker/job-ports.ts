import { type JobEvent } from './protocol';

/** What a job is heard through and stopped by. */
export interface JobPorts {
  readonly emit: (event: JobEvent) => void;
  readonly signal: AbortSignal;
}

/**
 * The ports of whichever job works now. What one job opens, later ones read: files and streamed
 * weights must report to, and stop with, the job that reads them.
 */
export class CurrentPorts implements JobPorts {
  #now: JobPorts;

  constructor(first: JobPorts) {
    this.#now = first;
  }

  readonly emit = (event: JobEvent): void => {
    this.#now.emit(event);
  };

  get signal(): AbortSignal {
    return this.#now.signal;
  }

  handTo(job: JobPorts): void {
    this.#now = job;
  }
}
