/** The Hub's own origin: which part of it answers a request. */
import { type HubState, tokenOf } from './hub-state';
import { answerSignIn } from './oauth';
import { repoRoute, searchModels } from './repo-api';
import { cachedFile, resolveFile } from './resolve';
import { type Exchange, redirect, sendError, sendJson } from './respond';
import { answerUpload } from './upload-routes';

/** Sends the answer of the Hub's origin. */
export async function answerHub(state: HubState, exchange: Exchange): Promise<void> {
  const { pathname } = exchange.url;
  const parts = pathname.split('/').slice(1).map(decodeURIComponent);
  const moved = movedTo(state, exchange.url);
  if (moved !== null) {
    redirect(exchange, 307, moved);
  } else if (badToken(state, exchange)) {
    sendError(exchange, 401, '', 'Invalid credentials in Authorization header');
  } else if (await answerSignIn(state, exchange)) {
    // It has answered.
  } else if (await answerUpload(state, exchange, parts)) {
    // So has it.
  } else if (parts[0] !== 'api') {
    await resolveFile(state, exchange, parts);
  } else if (parts[1] === 'resolve-cache') {
    await cachedFile(
      state,
      exchange,
      parts[2] === 'datasets' ? 'datasets' : 'models',
      parts.slice(3),
    );
  } else if ((parts[1] === 'models' || parts[1] === 'datasets') && parts.length > 2) {
    await repoRoute(state, exchange, parts[1], parts.slice(2));
  } else if (parts[1] === 'models') {
    searchModels(state, exchange);
  } else if (parts[1] === 'whoami-v2') {
    whoAmI(state, exchange);
  } else sendError(exchange, 404, 'RepoNotFound', 'Repository not found');
}

/** Where a request for a renamed repo goes. */
function movedTo({ moved }: HubState, { pathname, search }: URL): string | null {
  for (const [from, to] of moved) {
    for (const root of ['/api/models/', '/']) {
      const old = `${root}${from}/`;
      if (pathname.startsWith(old)) return root + to + pathname.slice(old.length - 1) + search;
    }
  }
  return null;
}

function badToken(state: HubState, exchange: Exchange): boolean {
  const token = tokenOf(exchange);
  return token !== null && !state.tokens.has(token);
}

function whoAmI(state: HubState, exchange: Exchange): void {
  const token = tokenOf(exchange);
  if (token === null) sendError(exchange, 401, '', 'Invalid username or password.');
  else sendJson(exchange, { type: 'user', name: state.tokens.get(token)!.user, orgs: [] });
}
