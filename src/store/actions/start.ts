/** Wires the page: the worker, the link it was opened by, and the link it shows from then on. */
import { PeruError } from '@/core/errors';
import { type PeruWorker } from '@/protocol/peru-worker';
import { type SourceRequest } from '@/protocol/requests';
import { addRepos, setHub } from './hub';
import { listedRequest } from '@/store/hub/request';
import { openSource, raiseAlert } from './job';
import { adoptLink } from '@/store/recipe/edits';
import { type Link, readLink, writeLink } from '@/store/recipe/link';
import { linkedSource } from '@/store/recipe/linked-source';
import { recipeStore } from '@/store/state/recipe';
import { type SettingsState, settingsStore } from '@/store/state/settings';
import { sourcesStore } from '@/store/state/sources';
import { connect } from '@/store/state/worker-handle';

export interface AddressBar {
  readonly search: string;
  replace(search: string): void;
}

/**
 * Opens the repos or the demo of the link, or the first demo, with the link's recipe; a link to
 * anything else raises an alert as well. Ends with the first run.
 */
export async function startPage(worker: PeruWorker, address: AddressBar): Promise<void> {
  connect(worker);
  const link = readLink(address.search);
  adoptLink(link.recipe);
  if (link.engine !== null) settingsStore.setState({ linkedEngine: link.engine });
  const mirror = (): void => {
    // Before, λ may still be the default, which a reload would take for the visitor's choice.
    if (sourcesStore.getState().weights !== 'loaded') return;
    const before = keptSearch(address.search, settingsStore.getState());
    const search = writeLink(before, linkedSource(), recipeStore.getState().committed);
    if (search !== address.search) address.replace(search);
  };
  recipeStore.subscribe(mirror);
  sourcesStore.subscribe(mirror);
  settingsStore.subscribe(mirror);
  const request = requestOf(link);
  const opened = openSource(request, request.kind === 'hub' ? { patterns: link.patterns } : {});
  // After the opening began, which clears the alert of what was open before.
  if (link.unknownSource !== null) raiseAlert(unknownLink(link.unknownSource));
  await opened;
}

/** The link says no more what computes once the visitor has said it. */
function keptSearch(search: string, { linkedEngine }: Pick<SettingsState, 'linkedEngine'>): string {
  const query = new URLSearchParams(search);
  if (linkedEngine === null) query.delete('engine');
  return query.size === 0 ? '' : `?${query}`;
}

/** What the link asks for: whoever followed it asked for its repos too. */
function requestOf({ demo, repos, hubUrl, unknownSource }: Link): SourceRequest {
  setHub(hubUrl);
  // Repos of a Hub that is not asked are not looked for on another.
  if (repos === null || unknownSource !== null) return { kind: 'demo', demo: demo ?? 'fft' };
  const { base, tasks } = repos;
  addRepos([...(base === null ? [] : [base]), ...tasks].join(' '));
  return listedRequest(base ?? undefined);
}

function unknownLink(source: string): PeruError {
  return new PeruError(
    'unsupported',
    `Peru can not open that link: ${source}.`,
    'Open a demo, add checkpoints as files, or name repos of the Hub; another Hub than huggingface.co needs an https address.',
  );
}
