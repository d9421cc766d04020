/**
 * Making repos and committing to them, on the Hub's own origin, as `@huggingface/hub` calls it: the
 * Hub says which files are large and where they go, and commits what has arrived, or nothing.
 */
import {
  commitOf,
  type FixtureFile,
  type FixtureRepo,
  isLargeName,
  memoryFile,
  repoOf,
} from './content';
import { type HubState, mayMake, mayWrite, moveBranch, tokenOf } from './hub-state';
import { type Exchange, readRequest, sendError, sendJson, takeFault } from './respond';
import { PART_BYTES } from './upload-state';

/** Answers what concerns uploads; false for other addresses. */
export async function answerUpload(
  state: HubState,
  exchange: Exchange,
  parts: readonly string[],
): Promise<boolean> {
  const { pathname } = exchange.url;
  if (pathname === '/api/repos/create') await createRepo(state, exchange);
  else if (pathname === '/api/complete_multipart') await joinParts(state, exchange);
  else if (parts[0] === 'api' && parts[1] === 'models' && parts.length >= 5) {
    const repo = state.repos.models.get(`${parts[2]!}/${parts[3]!}`);
    return repoUpload(state, exchange, repo, parts[4]!);
  } else if (pathname.endsWith('.git/info/lfs/objects/batch')) {
    const id = pathname.slice(1).replace(/\.git\/.*$/, '');
    const repo = writable(state, exchange, state.repos.models.get(id));
    if (repo !== null) await batch(state, exchange, repo);
  } else return false;
  return true;
}

async function repoUpload(
  state: HubState,
  exchange: Exchange,
  asked: FixtureRepo | undefined,
  verb: string,
): Promise<boolean> {
  if (!['preupload', 'commit', 'xet-write-token'].includes(verb)) return false;
  const repo = writable(state, exchange, asked);
  if (repo === null) return true;
  if (verb === 'preupload') await preupload(exchange);
  else if (verb === 'commit') await commit(state, exchange, repo);
  else sendJson(exchange, storeToken(state));
  return true;
}

/** The repo, where the token may change it; else the Hub's refusal. */
function writable(
  state: HubState,
  exchange: Exchange,
  repo: FixtureRepo | undefined,
): FixtureRepo | null {
  if (tokenOf(exchange) === null) sendError(exchange, 401, '', 'Invalid username or password.');
  else if (repo === undefined) sendError(exchange, 404, 'RepoNotFound', 'Repository not found');
  else if (!mayWrite(state, exchange, repo.id)) {
    const text = 'Forbidden: pass `create_pr=1` as a query parameter to create a Pull Request';
    sendError(exchange, 403, '', text);
  } else return repo;
  return null;
}

async function readJson(exchange: Exchange): Promise<unknown> {
  return JSON.parse(Buffer.from(await readRequest(exchange)).toString());
}

async function createRepo(state: HubState, exchange: Exchange): Promise<void> {
  const asked = (await readJson(exchange)) as {
    readonly name: string;
    readonly organization: string;
    readonly visibility?: string;
  };
  const { models } = state.repos;
  const id = `${asked.organization}/${asked.name}`;
  if (tokenOf(exchange) === null) {
    sendError(exchange, 401, '', 'Invalid username or password.');
  } else if (!mayMake(state, exchange, id)) {
    const text = `You don't have the rights to create a model under the namespace "${asked.organization}"`;
    sendError(exchange, 403, '', text);
  } else if (models.has(id)) {
    const url = `${state.hubOrigin}/${id}`;
    sendJson(exchange, { error: 'You already created this model repo', url }, { status: 409 });
  } else {
    const first = new Map([['.gitattributes', memoryFile('.gitattributes', '')]]);
    const hidden = asked.visibility === 'private';
    state.contributors.get(tokenOf(exchange) ?? '')?.made.add(id);
    models.set(id, repoOf(id, first, { private: hidden, xet: state.uploads.mode === 'xet' }));
    state.uploads.history.set(id, [{ id: commitOf(id, first), title: 'initial commit' }]);
    sendJson(exchange, { url: `${state.hubOrigin}/${id}`, name: id, id });
  }
}

async function preupload(exchange: Exchange): Promise<void> {
  const { files } = (await readJson(exchange)) as {
    readonly files: readonly { readonly path: string; readonly size: number }[];
  };
  const answer = files.map(({ path, size }) => {
    const uploadMode = isLargeName(path, size) ? 'lfs' : 'regular';
    return { path, uploadMode, shouldIgnore: false, oid: null };
  });
  sendJson(exchange, { files: answer });
}

async function batch(state: HubState, exchange: Exchange, repo: FixtureRepo): Promise<void> {
  const { objects, transfers } = (await readJson(exchange)) as {
    readonly objects: readonly { readonly oid: string; readonly size: number }[];
    readonly transfers: readonly string[];
  };
  const { mode, blobs } = state.uploads;
  const transfer = transfers.includes(mode) ? mode : 'basic';
  const actions = { xet: xetAction, multipart: multipartAction, basic: basicAction }[transfer];
  const answer = objects.map(({ oid, size }) => ({
    oid,
    size,
    authenticated: true,
    ...(blobs.has(oid) ? {} : { actions: { upload: actions(state, { repo, oid, size }) } }),
  }));
  sendJson(exchange, { transfer, objects: answer });
}

interface Sent {
  readonly repo: FixtureRepo;
  readonly oid: string;
  readonly size: number;
}

function basicAction({ contentOrigin }: HubState, { oid }: Sent): unknown {
  return { href: `${contentOrigin}/lfs/${oid}?signature=fixture` };
}

function multipartAction(state: HubState, { oid, size }: Sent): unknown {
  const header: Record<string, string> = { chunk_size: String(PART_BYTES) };
  for (let part = 1; (part - 1) * PART_BYTES < size; part++) {
    header[String(part).padStart(5, '0')] =
      `${state.contentOrigin}/lfs/${oid}/${part}?signature=fixture`;
  }
  return { href: `${state.hubOrigin}/api/complete_multipart?oid=${oid}`, header };
}

function xetAction(state: HubState, { repo }: Sent): unknown {
  const { accessToken, casUrl, exp } = storeToken(state);
  return {
    href: `${state.hubOrigin}/api/models/${repo.id}/xet-write-token/main`,
    header: {
      'X-Xet-Session-Id': 'fixture',
      'X-Xet-Cas-Url': casUrl,
      'X-Xet-Access-Token': accessToken,
      'X-Xet-Token-Expiration': String(exp),
    },
  };
}

function storeToken({ storeToken: accessToken, contentOrigin: casUrl }: HubState): {
  readonly accessToken: string;
  readonly casUrl: string;
  readonly exp: number;
} {
  return { accessToken, casUrl, exp: Math.floor(Date.now() / 1000) + 3600 };
}

async function joinParts({ uploads }: HubState, exchange: Exchange): Promise<void> {
  const { oid, parts } = (await readJson(exchange)) as {
    readonly oid: string;
    readonly parts: readonly { readonly etag: string; readonly partNumber: number }[];
  };
  const bytes = parts.map(({ partNumber }) => uploads.parts.get(`${oid}/${partNumber}`));
  const whole = Buffer.concat(bytes.filter((part) => part !== undefined));
  if (bytes.includes(undefined) || memoryFile('', whole).sha256 !== oid) {
    sendError(exchange, 400, '', 'Parts are missing or wrong');
    return;
  }
  uploads.blobs.set(oid, whole);
  sendJson(exchange, {});
}

type CommitLine =
  | { readonly key: 'header'; readonly value: { summary: string; parentCommit?: string } }
  | { readonly key: 'file'; readonly value: { path: string; content: string } }
  | { readonly key: 'lfsFile'; readonly value: { path: string; oid: string; size: number } };

async function commit(state: HubState, exchange: Exchange, repo: FixtureRepo): Promise<void> {
  const text = Buffer.from(await readRequest(exchange)).toString();
  const lines = text.split('\n').map((line) => JSON.parse(line) as CommitLine);
  const files = new Map(repo.revisions.get('main'));
  const parent = commitOf(repo.id, files);
  let title = '';
  for (const line of lines) {
    if (line.key === 'header') {
      title = line.value.summary;
      if ((line.value.parentCommit ?? parent) !== parent) {
        const why = 'A commit has happened since. Please refresh and try again.';
        sendError(exchange, 412, '', why);
        return;
      }
      continue;
    }
    const file = fileOf(state, line);
    if (file === null) {
      sendError(exchange, 400, '', `LFS pointer pointed to a file that does not exist`);
      return;
    }
    files.set(line.value.path, file);
  }
  moveBranch(repo, 'main', files);
  const id = commitOf(repo.id, files);
  const before = state.uploads.history.get(repo.id) ?? [{ id: parent, title: 'Add files' }];
  state.uploads.history.set(repo.id, [{ id, title }, ...before]);
  if (takeFault(exchange, 'lose-answer') !== null) exchange.response.destroy();
  else {
    const commitUrl = `${state.hubOrigin}/${repo.id}/commit/${id}`;
    sendJson(exchange, { success: true, commitOid: id, commitUrl, hookOutput: '' });
  }
}

function fileOf(
  { uploads }: HubState,
  line: Exclude<CommitLine, { readonly key: 'header' }>,
): FixtureFile | null {
  const { path } = line.value;
  if (line.key === 'file') return memoryFile(path, Buffer.from(line.value.content, 'base64'));
  const bytes = uploads.blobs.get(line.value.oid);
  return bytes?.length === line.value.size ? { ...memoryFile(path, bytes), large: true } : null;
}
