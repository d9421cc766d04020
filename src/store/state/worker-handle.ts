/** The one worker of the page, set once by the composition root. */
import { PeruError } from '@/core/errors';
import { type PeruWorker } from '@/protocol/peru-worker';

let handle: PeruWorker | null = null;

export function connect(worker: PeruWorker): void {
  handle = worker;
}

/** @throws PeruError `internal` before `connect` */
export function connectedWorker(): PeruWorker {
  if (handle === null) {
    throw new PeruError('internal', 'The worker is not connected.', 'Reload the page.');
  }
  return handle;
}
