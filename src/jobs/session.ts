/** The worker's state: one engine, one open group, one job at a time; the latest wins. */
import { errorFacts } from '@/core/errors';
import { deviceLoss } from '@/jobs/context/device-loss';
import { ExportSession } from './export-session';
import { type Platform } from './context/platform';
import { type LoadedGroup } from './group/loaded-group';
import { openGroup } from './open-group';
import { type OpenedGroup } from '@/jobs/group/opened-group';
import { type JobEvent, type JobOutcome } from '@/protocol/events';
import { type PeruWorker } from '@/protocol/peru-worker';

export function createSession(platform: Platform): PeruWorker {
  const exports = new ExportSession(platform);
  let opened: OpenedGroup | null = null;
  let loaded: LoadedGroup | null = null;
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
  const unload = async (): Promise<void> => {
    loaded?.group.dispose();
    loaded = null;
    await exports.clear();
  };
  const close = async (): Promise<void> => {
    await unload();
    opened?.dispose();
    opened = null;
  };

  return {
    open: (request, choices, onEvent) =>
      start(async (signal) => {
        await close();
        void exports.sweep();
        const { engine = 'auto' } = choices;
        const context = { emit: onEvent, signal };
        const group = await openGroup({ request, platform, engine, ...context });
        opened = group;
        onEvent({ type: 'preflight', preflight: await group.plan(choices) });
      }),
    plan: (choices, onEvent) =>
      start(async (signal) => {
        await unload();
        const group = openNow(opened);
        group.handTo({ emit: onEvent, signal });
        onEvent({ type: 'preflight', preflight: await group.plan(choices) });
      }),
    load: (onEvent) =>
      start(async (signal) => {
        await unload();
        const group = openNow(opened);
        group.handTo({ emit: onEvent, signal });
        const load = timed(onEvent, 'load', () => group.load());
        loaded = await Promise.race([load, deviceLoss(group.engine)]);
      }),
    run: (recipe, onEvent, goal) =>
      start(async (signal) => {
        if (loaded === null) throw new Error('No group of checkpoints is loaded.');
        opened?.handTo({ emit: onEvent, signal });
        const run = loaded.run(recipe, { emit: onEvent, signal }, goal);
        await Promise.race([run, deviceLoss(loaded.group.engine)]);
      }),
    export: (request, onEvent) =>
      start(async (signal) => {
        if (loaded === null) throw new Error('No group of checkpoints is loaded.');
        const stop = new AbortController();
        const context = { emit: onEvent, signal: AbortSignal.any([signal, stop.signal]) };
        opened?.handTo(context);
        try {
          const made = exports.make(loaded, request, context);
          await Promise.race([made, deviceLoss(loaded.group.engine)]);
        } catch (error) {
          // A job whose device is lost may go on by itself for a while.
          stop.abort();
          await exports.clear();
          throw error;
        }
      }),
    exportedFile: (path) => exports.file(path),
    zip: (onEvent) => start((signal) => exports.zip({ emit: onEvent, signal })),
    saveTo: (folder, onEvent) =>
      start((signal) => exports.saveTo(folder, { emit: onEvent, signal })),
    upload: (request, onEvent) =>
      start((signal) => exports.upload(request, { emit: onEvent, signal })),
    cancel: async () => {
      controller.abort();
      await settled;
    },
  };
}

function openNow(opened: OpenedGroup | null): OpenedGroup {
  if (opened === null) throw new Error('No group of checkpoints is open.');
  return opened;
}

async function timed<T>(
  emit: (event: JobEvent) => void,
  name: string,
  work: () => Promise<T>,
): Promise<T> {
  const start = performance.now();
  const result = await work();
  emit({ type: 'stage', name, seconds: (performance.now() - start) / 1000 });
  return result;
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
