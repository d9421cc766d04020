/** The worker's state: one engine, one open group, one job at a time; the latest wins. */
import { errorFacts } from '@/tensor/errors';
import { deviceLoss } from './device-loss';
import { openGroup, type OpenGroup } from './open-group';
import { type JobOutcome, type PeruWorker } from './protocol';
import { runRecipe } from './run-recipe';

export function createSession(): PeruWorker {
  let group: OpenGroup | null = null;
  let controller = new AbortController();
  let settled: Promise<unknown> = Promise.resolve();

  /** Cancels the job before, waits until it has let go of the engine, then starts this one. */
  const start = (work: (signal: AbortSignal) => Promise<void>): Promise<JobOutcome> => {
    controller.abort();
    controller = new AbortController();
    const { signal } = controller;
    const outcome = settled.then(() => outcomeOf(work, signal));
    settled = outcome;
    return outcome;
  };

  return {
    open: (request, onEvent) =>
      start(async (signal) => {
        group?.dispose();
        group = null;
        group = await openGroup({ request, emit: onEvent, signal });
      }),
    run: (recipe, onEvent) =>
      start(async (signal) => {
        if (group === null) throw new Error('No group of checkpoints is open.');
        const run = runRecipe({ group, recipe, emit: onEvent, signal });
        await Promise.race([run, deviceLoss(group.engine)]);
      }),
    cancel: async () => {
      controller.abort();
      await settled;
    },
  };
}

async function outcomeOf(
  work: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<JobOutcome> {
  try {
    signal.throwIfAborted();
    await work(signal);
    signal.throwIfAborted();
    return { status: 'done' };
  } catch (error) {
    // Whatever a cancelled job still throws is no news.
    return signal.aborted
      ? { status: 'cancelled' }
      : { status: 'failed', error: errorFacts(error) };
  }
}
