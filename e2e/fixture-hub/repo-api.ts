/** What the fixture Hub's API says of a repo: its commit, files, revisions and pull requests. */
import { commitOf, type FixtureFile, type FixtureRepo, oidOf } from './content';
import {
  type HubState,
  mayRead,
  type Place,
  placeOf,
  refuseGated,
  type RepoKind,
  visibleRepo,
} from './hub-state';
import { type Exchange, sendError, sendJson } from './respond';

/** `/api/models/owner/name/...` or `/api/datasets/owner/name/...`. */
export async function repoRoute(
  state: HubState,
  exchange: Exchange,
  kind: RepoKind,
  parts: readonly string[],
): Promise<void> {
  const id = parts.slice(0, 2).join('/');
  const repo = visibleRepo(state, exchange, kind, id);
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
  const place = placeOf(exchange, kind, repo, revision);
  if (place === null) return;
  if (verb === 'revision') sendJson(exchange, repoInfo(place));
  else if (verb === 'tree') sendTree(state, exchange, place, below);
  else if (verb === 'paths-info') await sendPathsInfo(exchange, place);
  else if (verb === 'commits') sendJson(exchange, commitList(state, place));
  else if (verb === 'xet-read-token') sendStoreToken(state, exchange, repo);
  else sendError(exchange, 404, '', 'Not found');
}

function repoInfo({ kind, repo, files, commit }: Place): unknown {
  return {
    _id: commit.slice(0, 24),
    id: repo.id,
    ...(kind === 'models'
      ? { modelId: repo.id, pipeline_tag: 'zero-shot-image-classification' }
      : {}),
    sha: commit,
    private: repo.private === true,
    gated: repo.gated === true ? 'manual' : false,
    downloads: repo.downloads ?? 1,
    likes: repo.likes ?? 0,
    lastModified: '2024-01-01T00:00:00.000Z',
    tags: repo.tags ?? [],
    ...(repo.library === undefined ? {} : { library_name: repo.library }),
    siblings: [...files.keys()].map((rfilename) => ({ rfilename })),
  };
}

/** From the commit backwards: those that were uploaded, else it alone. */
function commitList({ uploads }: HubState, { repo, commit }: Place): unknown {
  const history = uploads.history.get(repo.id) ?? [];
  const at = history.findIndex(({ id }) => id === commit);
  const commits = at === -1 ? [{ id: commit, title: 'Add files' }] : history.slice(at);
  const authors = [{ user: 'peru', avatar: '' }];
  const date = '2024-01-01T00:00:00.000Z';
  return commits.map(({ id, title }) => ({ id, title, message: '', authors, date }));
}

/** Public repos, and those that the token may see, whose name holds the text asked for. */
export function searchModels(state: HubState, exchange: Exchange): void {
  const query = exchange.url.searchParams;
  const asked = (query.get('search') ?? '').toLowerCase();
  const found = [...state.repos.models.values()].filter(
    (repo) =>
      (repo.private !== true || mayRead(state, exchange, repo)) &&
      repo.id.toLowerCase().includes(asked),
  );
  if (query.get('sort') === 'downloads') {
    found.sort((a, b) => (b.downloads ?? 1) - (a.downloads ?? 1));
  }
  const places = found.flatMap((repo) => {
    const files = repo.revisions.get('main');
    return files === undefined
      ? []
      : [{ kind: 'models' as const, repo, files, commit: commitOf(repo.id, files) }];
  });
  const limit = Number(query.get('limit') ?? 1000);
  sendJson(exchange, places.slice(0, limit).map(repoInfo));
}

function listRefs(exchange: Exchange, repo: FixtureRepo): void {
  const versions = new Set(repo.versions);
  const refs = [...repo.revisions].map(([name, files]) => {
    const kind = versions.has(name) ? 'tags' : 'heads';
    const ref = name.startsWith('refs/') ? name : `refs/${kind}/${name}`;
    return { name, ref, targetCommit: commitOf(repo.id, files) };
  });
  const below = (folder: string): typeof refs => refs.filter(({ ref }) => ref.startsWith(folder));
  const withPulls = exchange.url.searchParams.get('include_prs') === '1';
  const pulls = withPulls ? { pullRequests: below('refs/pr/') } : {};
  const [branches, tags] = [below('refs/heads/'), below('refs/tags/')];
  sendJson(exchange, { branches, tags, converts: [], ...pulls });
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
  if (below !== '' && inside.length === 0) {
    sendError(exchange, 404, 'EntryNotFound', `${below} does not exist on "${place.commit}"`);
    return;
  }
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
