/** The Hub's own origin: its API, and where its files are. */
import { commitOf, type FixtureFile, type FixtureFiles, type FixtureRepo, oidOf } from './content';
import { type Exchange, redirect, sendError, sendFile, sendJson, takeFault } from './respond';

export interface HubState {
  readonly repos: Map<string, FixtureRepo>;
  /** What each access token may read. */
  readonly tokens: Map<string, { readonly user: string; readonly repos: readonly string[] }>;
  readonly pageSize: number;
  readonly hubOrigin: string;
  readonly contentOrigin: string;
  /** Accepted by the content-addressed store. */
  readonly storeToken: string;
  readonly dataSets: ReadonlySet<string>;
  /** New names of renamed repos. */
  readonly moved: ReadonlyMap<string, string>;
}

interface Place {
  readonly repo: FixtureRepo;
  readonly files: FixtureFiles;
  readonly commit: string;
}

/** Sends the answer of the Hub's origin. */
export async function answerHub(state: HubState, exchange: Exchange): Promise<void> {
  const { pathname } = exchange.url;
  const parts = pathname.split('/').slice(1).map(decodeURIComponent);
  const moved = movedTo(state, exchange.url);
  if (moved !== null) {
    redirect(exchange, 307, moved);
  } else if (badToken(state, exchange)) {
    sendError(exchange, 401, '', 'Invalid credentials in Authorization header');
  } else if (parts[0] !== 'api') {
    await resolveFile(state, exchange, parts);
  } else if (parts[1] === 'resolve-cache') {
    await cachedFile(state, exchange, parts.slice(3));
  } else if (parts[1] === 'models' && parts.length > 2) {
    await modelRoute(state, exchange, parts.slice(2));
  } else if (parts[1] === 'models') {
    searchModels(state, exchange);
  } else if (parts[1] === 'datasets' && state.dataSets.has(parts.slice(2).join('/'))) {
    sendJson(exchange, { id: parts.slice(2).join('/') });
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

function tokenOf({ log }: Exchange): string | null {
  return log.authorization?.replace(/^Bearer /, '') ?? null;
}

function badToken(state: HubState, exchange: Exchange): boolean {
  const token = tokenOf(exchange);
  return token !== null && !state.tokens.has(token);
}

function mayRead(state: HubState, exchange: Exchange, repo: FixtureRepo): boolean {
  const token = tokenOf(exchange);
  return token !== null && state.tokens.get(token)!.repos.includes(repo.id);
}

/** The repo, where it may be seen; else the Hub's answer that it is not there. */
function visibleRepo(state: HubState, exchange: Exchange, id: string): FixtureRepo | null {
  const repo = state.repos.get(id);
  if (repo !== undefined && (repo.private !== true || mayRead(state, exchange, repo))) return repo;
  // Who is not signed in is told nothing, not even whether there is such a repo.
  const status = tokenOf(exchange) === null ? 401 : 404;
  sendError(exchange, status, 'RepoNotFound', 'Repository not found');
  return null;
}

function placeOf(exchange: Exchange, repo: FixtureRepo, revision: string): Place | null {
  const name = revision === 'HEAD' ? 'main' : revision;
  for (const [branch, files] of repo.revisions) {
    const commit = commitOf(repo.id, files);
    if (branch === name || commit === name) return { repo, files, commit };
  }
  // A commit stays when its branch moves on.
  const files = pastCommits.get(`${repo.id}@${name}`);
  if (files !== undefined) return { repo, files, commit: name };
  sendError(exchange, 404, 'RevisionNotFound', `Invalid rev id: ${revision}`);
  return null;
}

const pastCommits = new Map<string, FixtureFiles>();

/** Lets a branch move on; its commits so far can still be read. */
export function moveBranch(repo: FixtureRepo, revision: string, files: FixtureFiles): void {
  for (const past of repo.revisions.values()) {
    pastCommits.set(`${repo.id}@${commitOf(repo.id, past)}`, past);
  }
  repo.revisions.set(revision, files);
}

async function modelRoute(
  state: HubState,
  exchange: Exchange,
  parts: readonly string[],
): Promise<void> {
  const id = parts.slice(0, 2).join('/');
  const repo = visibleRepo(state, exchange, id);
  if (repo === null) return;
  const [verb = 'revision', ...rest] = parts.slice(2);
  if (verb === 'discussions') {
    listPulls(exchange, repo);
    return;
  }
  if (verb === 'refs') {
    listRefs(exchange, repo);
    return;
  }
  const revision = rest[0] === 'refs' ? rest.slice(0, 3).join('/') : (rest[0] ?? 'main');
  const below = rest.slice(revision.split('/').length).join('/');
  const place = placeOf(exchange, repo, revision);
  if (place === null) return;
  if (verb === 'revision') sendJson(exchange, modelInfo(place));
  else if (verb === 'tree') sendTree(state, exchange, place, below);
  else if (verb === 'paths-info') await sendPathsInfo(exchange, place);
  else if (verb === 'commits') sendJson(exchange, [commitInfo(place)]);
  else if (verb === 'xet-read-token') sendStoreToken(state, exchange, repo);
  else sendError(exchange, 404, '', 'Not found');
}

function modelInfo({ repo, files, commit }: Place): unknown {
  return {
    _id: commit.slice(0, 24),
    id: repo.id,
    modelId: repo.id,
    sha: commit,
    private: repo.private === true,
    gated: repo.gated === true ? 'manual' : false,
    pipeline_tag: 'zero-shot-image-classification',
    downloads: 1,
    likes: 0,
    lastModified: '2024-01-01T00:00:00.000Z',
    tags: repo.tags ?? [],
    siblings: [...files.keys()].map((rfilename) => ({ rfilename })),
  };
}

function commitInfo({ commit }: Place): unknown {
  const authors = [{ user: 'peru', avatar: '' }];
  return { id: commit, title: 'Add files', message: '', authors, date: '2024-01-01T00:00:00.000Z' };
}

function searchModels(state: HubState, exchange: Exchange): void {
  const asked = (exchange.url.searchParams.get('search') ?? '').toLowerCase();
  const found = [...state.repos.values()].filter(
    (repo) => repo.private !== true && repo.id.toLowerCase().includes(asked),
  );
  const places = found.flatMap((repo) => {
    const files = repo.revisions.get('main');
    return files === undefined ? [] : [{ repo, files, commit: commitOf(repo.id, files) }];
  });
  sendJson(exchange, places.map(modelInfo));
}

function listRefs(exchange: Exchange, repo: FixtureRepo): void {
  const refs = [...repo.revisions].map(([name, files]) => ({
    name,
    ref: name.startsWith('refs/') ? name : `refs/heads/${name}`,
    targetCommit: commitOf(repo.id, files),
  }));
  const isPull = ({ ref }: { readonly ref: string }): boolean => ref.startsWith('refs/pr/');
  const branches = refs.filter((ref) => !isPull(ref));
  const withPulls = exchange.url.searchParams.get('include_prs') === '1';
  const pulls = withPulls ? { pullRequests: refs.filter(isPull) } : {};
  sendJson(exchange, { branches, tags: [], converts: [], ...pulls });
}

function listPulls(exchange: Exchange, repo: FixtureRepo): void {
  const query = exchange.url.searchParams;
  const fits = (name: string, value: string): boolean => {
    const asked = query.get(name);
    return asked === null || asked === 'all' || asked === value;
  };
  const discussions = (repo.pulls ?? [])
    .filter(({ status, author }) => fits('status', status) && fits('author', author))
    .map(({ num, title, status, author }) => {
      const about = { name: repo.id, type: 'model' };
      return { num, title, status, isPullRequest: true, author: { name: author }, repo: about };
    });
  sendJson(exchange, { discussions, count: discussions.length, start: 0 });
}

function entryOf(path: string, file: FixtureFile, xet: boolean): Record<string, unknown> {
  const entry = { type: 'file', oid: oidOf(file), size: file.size, path };
  if (!file.large) return entry;
  const lfs = { oid: file.sha256, size: file.size, pointerSize: 134 };
  return xet ? { ...entry, lfs, xetHash: file.sha256 } : { ...entry, lfs };
}

/** Pages of entries, each with the address of the next in its Link header. */
function sendTree(state: HubState, exchange: Exchange, place: Place, below: string): void {
  const { repo, files } = place;
  const inside = [...files].filter(([path]) => below === '' || path.startsWith(`${below}/`));
  const depth = below === '' ? 1 : below.split('/').length + 1;
  const folders = inside
    .filter(([path]) => path.split('/').length > depth)
    .map(([path]) => path.split('/').slice(0, depth).join('/'));
  const recursive = exchange.url.searchParams.get('recursive') === 'true';
  const own = recursive ? inside : inside.filter(([path]) => path.split('/').length === depth);
  const entries = [
    ...[...new Set(folders)].map((path) => ({ type: 'directory', oid: '', size: 0, path })),
    ...own.map(([path, file]) => entryOf(path, file, repo.xet === true)),
  ];
  const start = Number(exchange.url.searchParams.get('cursor') ?? 0);
  const next = new URL(exchange.url);
  next.searchParams.set('cursor', String(start + state.pageSize));
  const more = start + state.pageSize < entries.length;
  const headers: Record<string, string> = more ? { link: `<${next.href}>; rel="next"` } : {};
  sendJson(exchange, entries.slice(start, start + state.pageSize), { headers });
}

async function sendPathsInfo(exchange: Exchange, { repo, files }: Place): Promise<void> {
  let text = '';
  for await (const chunk of exchange.request) text += String(chunk);
  const { paths } = JSON.parse(text) as { readonly paths: readonly string[] };
  const entries = paths.flatMap((path) => {
    const file = files.get(path);
    return file === undefined ? [] : [entryOf(path, file, repo.xet === true)];
  });
  sendJson(exchange, entries);
}

function sendStoreToken(state: HubState, exchange: Exchange, repo: FixtureRepo): void {
  if (repo.gated === true && !mayRead(state, exchange, repo)) {
    refuseGated(exchange);
    return;
  }
  const exp = Math.floor(Date.now() / 1000) + 3600;
  sendJson(exchange, { accessToken: state.storeToken, casUrl: state.contentOrigin, exp });
}

function whoAmI(state: HubState, exchange: Exchange): void {
  const token = tokenOf(exchange);
  if (token === null) sendError(exchange, 401, '', 'Invalid username or password.');
  else sendJson(exchange, { type: 'user', name: state.tokens.get(token)!.user, orgs: [] });
}

function refuseGated(exchange: Exchange): void {
  const status = tokenOf(exchange) === null ? 401 : 403;
  sendError(exchange, status, 'GatedRepo', 'Access to model is restricted.');
}

/** `/owner/name/resolve/REV/path`: sends the asker on to where the bytes are. */
async function resolveFile(
  state: HubState,
  exchange: Exchange,
  parts: readonly string[],
): Promise<void> {
  const [owner, name, verb, ...rest] = parts;
  if (owner === '' || verb !== 'resolve') {
    sendError(exchange, owner === '' ? 200 : 404, '', 'The fixture Hub has no pages.');
    return;
  }
  const repo = visibleRepo(state, exchange, `${owner ?? ''}/${name ?? ''}`);
  if (repo === null) return;
  if (repo.gated === true && !mayRead(state, exchange, repo)) {
    refuseGated(exchange);
    return;
  }
  const revision = rest[0] === 'refs' ? rest.slice(0, 3).join('/') : rest[0]!;
  const path = rest.slice(revision.split('/').length).join('/');
  const place = placeOf(exchange, repo, revision);
  if (place === null) return;
  const file = place.files.get(path);
  if (file === undefined) {
    sendError(exchange, 404, 'EntryNotFound', 'Entry not found');
    return;
  }
  await sendOn(state, exchange, place, { path, file });
}

async function sendOn(
  state: HubState,
  exchange: Exchange,
  place: Place,
  { path, file }: { readonly path: string; readonly file: FixtureFile },
): Promise<void> {
  const { repo } = place;
  const lie = takeFault(exchange, 'wrong-hash', 'wrong-commit');
  const commit = lie?.kind === 'wrong-commit' ? '0'.repeat(40) : place.commit;
  const at = [repo.id, place.commit, path].join('/').split('/').map(encodeURIComponent).join('/');
  const headers: Record<string, string> = { 'x-repo-commit': commit };
  if (!file.large) {
    redirect(exchange, 307, `/api/resolve-cache/models/${at}`, headers);
    return;
  }
  const hash = lie?.kind === 'wrong-hash' ? '0'.repeat(64) : file.sha256;
  headers['x-linked-size'] = String(file.size);
  headers['x-linked-etag'] = `"${hash}"`;
  if (repo.xet === true && /xet-fileinfo/.test(exchange.request.headers.accept ?? '')) {
    const links = [
      `<${state.hubOrigin}/api/models/${repo.id}/xet-read-token/${place.commit}>; rel="xet-auth"`,
      `<${state.contentOrigin}/v1/reconstructions/${file.sha256}>; rel="xet-reconstruction-info"`,
    ];
    headers['x-xet-hash'] = file.sha256;
    headers['link'] = links.join(', ');
    headers['content-type'] = 'application/vnd.xet-fileinfo+json';
    sendJson(exchange, { hash: file.sha256 }, { headers });
    return;
  }
  if (lie !== null) {
    // A redirect's own headers are not for scripts to read: the lie is told without one.
    await sendFile(exchange, file, { ...headers, etag: `"${hash}"` });
    return;
  }
  redirect(exchange, 302, `${state.contentOrigin}/${at}?signature=fixture`, headers);
}

/** Small files, from the Hub's own origin. */
async function cachedFile(
  state: HubState,
  exchange: Exchange,
  parts: readonly string[],
): Promise<void> {
  const [owner, name, commit, ...path] = parts;
  const repo = visibleRepo(state, exchange, `${owner ?? ''}/${name ?? ''}`);
  const place = repo === null ? null : placeOf(exchange, repo, commit ?? '');
  const file = place?.files.get(path.join('/'));
  if (place === null || file === undefined) return;
  const lie = takeFault(exchange, 'wrong-etag');
  const etag = `"${lie === null ? oidOf(file) : 'changed'}"`;
  await sendFile(exchange, file, { etag, 'x-repo-commit': place.commit });
}

/** The file that an address of the content store names. */
export function contentFile(state: HubState, parts: readonly string[]): FixtureFile | null {
  const [owner, name, commit, ...path] = parts;
  const id = `${owner ?? ''}/${name ?? ''}`;
  const repo = state.repos.get(id);
  if (repo === undefined) return null;
  const now = [...repo.revisions.values()].find((files) => commitOf(id, files) === commit);
  const files = now ?? pastCommits.get(`${id}@${commit ?? ''}`);
  return files?.get(path.join('/')) ?? null;
}
