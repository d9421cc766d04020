/** Wires the page: the worker, the link it was opened by, and the link it shows from then on. */
import { type PeruWorker } from '@/worker/protocol';
import { openSource } from './job/actions';
import { adoptLink } from './recipe/edits';
import { readLink, writeLink } from './recipe/link';
import { recipeStore } from './recipe/state';
import { sourcesStore } from './sources/state';
import { connect } from './worker-handle';

export interface AddressBar {
  readonly search: string;
  replace(search: string): void;
}

/** Opens what the link names; with nothing else to open, the demo. Ends with its first run. */
export async function startPage(worker: PeruWorker, address: AddressBar): Promise<void> {
  connect(worker);
  const { demo, recipe } = readLink(address.search);
  adoptLink(recipe);
  const mirror = (): void => {
    const { request } = sourcesStore.getState();
    const search = writeLink(address.search, request, recipeStore.getState().committed);
    if (search !== address.search) address.replace(search);
  };
  recipeStore.subscribe(mirror);
  sourcesStore.subscribe(mirror);
  await openSource({ kind: 'demo', demo: demo ?? 'fft' });
}
