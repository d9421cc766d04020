/** Wires the page: the worker, the link it was opened by, and the link it shows from then on. */
import { PeruError } from '@/tensor/errors';
import { type PeruWorker } from '@/worker/protocol';
import { openSource, raiseAlert } from './job/actions';
import { adoptLink } from './recipe/edits';
import { readLink, writeLink } from './recipe/link';
import { recipeStore } from './recipe/state';
import { selectKind } from './sources/selectors';
import { sourcesStore } from './sources/state';
import { connect } from './worker-handle';

export interface AddressBar {
  readonly search: string;
  replace(search: string): void;
}

/**
 * Opens the demo of the link, or the first, with the link's recipe; a link to anything else raises an alert as well.
 * Ends with the first run.
 */
export async function startPage(worker: PeruWorker, address: AddressBar): Promise<void> {
  connect(worker);
  const { demo, unknownSource, recipe } = readLink(address.search);
  adoptLink(recipe);
  const mirror = (): void => {
    const sources = sourcesStore.getState();
    const { request, weights } = sources;
    // Before, λ may still be the default, which a reload would take for the visitor's choice.
    if (weights !== 'loaded') return;
    const search = writeLink(
      address.search,
      request,
      selectKind(sources),
      recipeStore.getState().committed,
    );
    if (search !== address.search) address.replace(search);
  };
  recipeStore.subscribe(mirror);
  sourcesStore.subscribe(mirror);
  const opened = openSource({ kind: 'demo', demo: demo ?? 'fft' });
  // After the opening began, which clears the alert of what was open before.
  if (unknownSource !== null) raiseAlert(unknownLink(unknownSource));
  await opened;
}

function unknownLink(source: string): PeruError {
  return new PeruError(
    'unsupported',
    `This version of Peru can not open that link: ${source}.`,
    'Open the demo, or add the checkpoints as files.',
  );
}
