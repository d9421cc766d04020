/** Repos whose names match what is being typed. Asked for quietly: what fails is a note. */
import { createStore } from 'zustand/vanilla';
import { PeruError } from '@/core/errors';
import { findHubRepos, type FoundRepo } from '@/hub/search/hub-find';
import { hubStore } from '@/store/state/hub';
import { wordToFind } from '@/store/hub/words';

export type { FoundRepo };

export type Suggestions =
  | { readonly status: 'none' }
  /** `repos` are those of the text before, until others come. */
  | { readonly status: 'asking'; readonly repos: readonly FoundRepo[] }
  | { readonly status: 'found'; readonly text: string; readonly repos: readonly FoundRepo[] }
  | { readonly status: 'failed'; readonly note: string };

const NONE: Suggestions = { status: 'none' };

export const suggestionStore = createStore<Suggestions>(() => NONE);

/** Who types on asks for the last text only. */
const PAUSE_MS = 250;

let asking = new AbortController();

/** Looks for repos that match the end of a text, once the typing pauses. */
export function suggestRepos(text: string): void {
  asking.abort();
  const word = wordToFind(text);
  if (word === null) {
    suggestionStore.setState(NONE, true);
    return;
  }
  const now = suggestionStore.getState();
  if (now.status === 'found' && now.text === word) return;
  const own = (asking = new AbortController());
  const repos = 'repos' in now ? now.repos : [];
  suggestionStore.setState({ status: 'asking', repos }, true);
  setTimeout(() => {
    if (!own.signal.aborted) void ask(word, own.signal);
  }, PAUSE_MS);
}

/** Takes the suggestions away, and asks no more. */
export function dropSuggestions(): void {
  asking.abort();
  suggestionStore.setState(NONE, true);
}

async function ask(text: string, signal: AbortSignal): Promise<void> {
  const { hubUrl, accessToken } = hubStore.getState();
  try {
    const repos = await findHubRepos({ hubUrl, accessToken }, text, signal);
    if (!signal.aborted) suggestionStore.setState({ status: 'found', text, repos }, true);
  } catch (error) {
    if (signal.aborted) return;
    const note = error instanceof PeruError ? error.message : 'Nothing could be looked up.';
    suggestionStore.setState({ status: 'failed', note }, true);
  }
}

const EMPTY: readonly FoundRepo[] = [];

/** What there is to choose from now. */
export function selectFound(state: Suggestions): readonly FoundRepo[] {
  return 'repos' in state ? state.repos : EMPTY;
}

/** One line about the list, for people who see it and people who hear it; empty: none. */
export function selectFindNote(state: Suggestions): string {
  switch (state.status) {
    case 'none':
    case 'asking':
      return '';
    case 'failed':
      return `No suggestions. ${state.note}`;
    case 'found':
      return state.repos.length === 0
        ? `No repo’s name holds “${state.text}”. A name that you know can be added all the same.`
        : `${state.repos.length} matching ${state.repos.length === 1 ? 'repo' : 'repos'}: choose with the arrow keys.`;
  }
}
