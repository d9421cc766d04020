/** What the controls of "from the Hub" do. Nothing is fetched before the repos are opened. */
import { openSource } from './job';
import { forgetChosenLambda } from '@/store/recipe/edits';
import { sourcesStore } from '@/store/state/sources';
import { type ErrorChoice } from '@/store/state/job';
import { addReferences, replaceReference, splitReferences } from '@/store/hub/references';
import { listedBase, listedRequest } from '@/store/hub/request';
import { hubStore } from '@/store/state/hub';

/** Puts what was typed or pasted on the list. */
export function addRepos(text: string): void {
  const added = splitReferences(text);
  hubStore.setState(({ repos }) => ({ repos: addReferences(repos, added) }));
}

/** Puts these on the list in the place of what was there. */
export function listRepos(repos: readonly string[]): void {
  hubStore.setState({ repos: addReferences([], repos) });
}

export function removeRepo(repo: string): void {
  hubStore.setState(({ repos }) => ({ repos: repos.filter((one) => one !== repo) }));
}

/** Keeps the token in memory. Tokens are plain letters: what else was pasted along is dropped. */
export function setAccessToken(text: string): void {
  hubStore.setState({ accessToken: text.replace(/[^\x21-\x7e]/g, '') });
}

/** Reads from this Hub from now on; a token that was typed for another does not come along. */
export function setHub(hubUrl: string | null): void {
  const isSame = hubStore.getState().hubUrl === hubUrl;
  hubStore.setState(isSame ? {} : { hubUrl, accessToken: '' });
}

/** Opens the repos of the list. The base chosen before stays chosen while it is among them. */
export function openRepos(): void {
  const { request } = sourcesStore.getState();
  if (hubStore.getState().repos.length === 0) return;
  forgetChosenLambda();
  void openSource(listedRequest(request?.kind === 'hub' ? listedBase(request) : undefined));
}

/** Takes what the Hub offers in the place of a reference, and opens the list again. */
export function chooseRepo({ id, replaces }: ErrorChoice): void {
  const { request } = sourcesStore.getState();
  const base = request?.kind === 'hub' ? request.base : undefined;
  hubStore.setState(({ repos }) => ({ repos: replaceReference(repos, replaces, id) }));
  void openSource(listedRequest(base !== undefined && base === replaces ? id : base));
}
