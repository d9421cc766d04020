/** The dedicated worker: everything but drawing happens here. */
import { expose } from 'comlink';
import { type JobEvent, type JobOutcome } from '@/protocol/events';
import { type PeruWorker } from '@/protocol/peru-worker';
import { createSession } from '@/jobs/session';
import { browserPlatform } from '@/platform/browser/browser-platform';

/** What the page's callback is on this side: a message whose answer says that it was heard. */
type Listener = (event: JobEvent) => unknown;

/**
 * Events travel on a port of their own, which keeps no order with the outcome's: the outcome
 * waits until the page has heard the last of them.
 */
async function afterEvents(
  onEvent: Listener,
  work: (emit: (event: JobEvent) => void) => Promise<JobOutcome>,
): Promise<JobOutcome> {
  let heard: unknown = null;
  const outcome = await work((event) => {
    heard = onEvent(event);
  });
  await Promise.resolve(heard);
  return outcome;
}

const session = createSession(browserPlatform());
const worker: PeruWorker = {
  open: (request, choices, onEvent) =>
    afterEvents(onEvent, (emit) => session.open(request, choices, emit)),
  plan: (choices, onEvent) => afterEvents(onEvent, (emit) => session.plan(choices, emit)),
  load: (onEvent) => afterEvents(onEvent, (emit) => session.load(emit)),
  run: (recipe, onEvent, goal) => afterEvents(onEvent, (emit) => session.run(recipe, emit, goal)),
  export: (request, onEvent) => afterEvents(onEvent, (emit) => session.export(request, emit)),
  exportedFile: (path) => session.exportedFile(path),
  zip: (onEvent) => afterEvents(onEvent, (emit) => session.zip(emit)),
  saveTo: (folder, onEvent) => afterEvents(onEvent, (emit) => session.saveTo(folder, emit)),
  upload: (request, onEvent) => afterEvents(onEvent, (emit) => session.upload(request, emit)),
  cancel: () => session.cancel(),
};
expose(worker);
