/**
 * A Hugging Face Hub for tests: its public API as `@huggingface/hub` calls it on one origin, the
 * bytes of large files on another, over HTTP and as a content-addressed store; with gates, private
 * repos, limits and faults on demand. node:http on 127.0.0.1, nothing else.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { type FixtureFile, type FixtureFiles, type FixtureRepo, repoOf } from './content';
import { type Fault, type FaultKind, Faults } from './faults';
import { answerHub } from './hub-routes';
import { contentFile, type HubState, moveBranch } from './hub-state';
import { type FixtureApp, signInState, type SignInState } from './sign-in-state';
import {
  answerPreflight,
  type Exchange,
  type LoggedRequest,
  sendError,
  sendFile,
  sendJson,
  takeFault,
} from './respond';
import { takeUpload } from './upload-store';
import { type UploadMode, uploadState } from './upload-state';
import { block, reconstruction } from './xet';

export interface FixtureHubOptions {
  readonly repos: readonly FixtureRepo[];
  /** What each access token may read, beyond what is public. */
  readonly tokens?: Readonly<Record<string, readonly string[]>>;
  /** Accounts whose repos each of the `tokens` may make and change. */
  readonly writers?: Readonly<Record<string, readonly string[]>>;
  /** Accounts of those who signed in to contribute, by their tokens. */
  readonly contributors?: Readonly<Record<string, string>>;
  /** How large files are uploaded; default: to the content-addressed store, as on the Hub. */
  readonly uploads?: UploadMode;
  /** Entries of a page of a listing; default 1000, as on the Hub. */
  readonly pageSize?: number;
  /** Data sets, served as models are; of one given by its name alone there is nothing else. */
  readonly dataSets?: readonly (FixtureRepo | string)[];
  /** New names of renamed repos, by their old ones. */
  readonly moved?: Readonly<Record<string, string>>;
  /** The app whose visitors may sign in; default: none. */
  readonly app?: FixtureApp;
}

export interface FixtureHub {
  /** `http://127.0.0.1:PORT`. */
  readonly hubUrl: string;
  /** The other origin, which the access token must never reach. */
  readonly contentUrl: string;
  /** Every request, in order of arrival, preflights left out. */
  readonly requests: LoggedRequest[];
  /** Preflights since the last `clearLog`. */
  readonly preflights: LoggedRequest[];
  /** Most requests that were under way at once on one origin since the last `clearLog`. */
  readonly mostAtOnce: number;
  /** Requests under way now, on both origins, as `GET hub/path`. */
  readonly underWay: readonly string[];
  /** How the next sign-ins go. */
  readonly signIn: Pick<SignInState, 'decision' | 'wrongNonce' | 'expired'>;
  /** How large files are uploaded from now on. */
  uploadMode: UploadMode;
  clearLog(): void;
  fault(...faults: readonly Fault[]): void;
  clearFaults(): void;
  /** From now on the revision has these files; its commits so far stay. */
  move(repo: string, revision: string, files: FixtureFiles): void;
  addRepo(repo: FixtureRepo): void;
  addDataSet(repo: FixtureRepo): void;
  removeRepo(id: string): void;
  revokeToken(token: string): void;
  close(): Promise<void>;
}

/** Accepted by the store only, as the Hub's short-lived tokens are. */
const STORE_TOKEN = 'store-token';

/** Starts both origins on free ports. */
export async function startFixtureHub(options: FixtureHubOptions): Promise<FixtureHub> {
  const faults = new Faults();
  const log = {
    requests: [] as LoggedRequest[],
    preflights: [] as LoggedRequest[],
    now: { hub: new Set<LoggedRequest>(), content: new Set<LoggedRequest>() },
    most: 0,
  };
  const context = { faults, log };
  let state: HubState | null = null;
  const hub = createServer((request, response) => {
    serve('hub', request, response, context, (exchange) => answerHub(state!, exchange));
  });
  const content = createServer((request, response) => {
    serve('content', request, response, context, (exchange) => answerContent(state!, exchange));
  });
  const [hubUrl, contentUrl] = await Promise.all([listen(hub), listen(content)]);
  state = {
    repos: { models: byId(options.repos), datasets: byId((options.dataSets ?? []).map(asRepo)) },
    tokens: new Map(
      Object.entries(options.tokens ?? {}).map(([token, repos]) => [
        token,
        { user: 'tester', repos },
      ]),
    ),
    writers: new Map(Object.entries(options.writers ?? {})),
    contributors: new Map(
      Object.entries(options.contributors ?? {}).map(([token, account]) => [
        token,
        { account, made: new Set() },
      ]),
    ),
    uploads: uploadState(options.uploads),
    pageSize: options.pageSize ?? 1000,
    hubOrigin: hubUrl,
    contentOrigin: contentUrl,
    storeToken: STORE_TOKEN,
    signIn: signInState(options.app),
    moved: new Map(Object.entries(options.moved ?? {})),
  };
  const { tokens, uploads } = state;
  const { models: repos, datasets } = state.repos;
  return {
    hubUrl,
    contentUrl,
    requests: log.requests,
    preflights: log.preflights,
    signIn: state.signIn,
    get mostAtOnce() {
      return log.most;
    },
    get underWay() {
      const { hub, content } = log.now;
      return [...hub, ...content].map(({ method, server, path }) => `${method} ${server}${path}`);
    },
    get uploadMode() {
      return uploads.mode;
    },
    set uploadMode(mode) {
      uploads.mode = mode;
    },
    clearLog() {
      log.requests.length = 0;
      log.preflights.length = 0;
      log.most = Math.max(log.now.hub.size, log.now.content.size);
    },
    fault(...added) {
      faults.add(...added);
    },
    clearFaults() {
      faults.clear();
    },
    move(id, revision, files) {
      moveBranch(repos.get(id)!, revision, files);
    },
    addRepo: (repo) => void repos.set(repo.id, repo),
    addDataSet: (repo) => void datasets.set(repo.id, repo),
    removeRepo: (id) => void repos.delete(id),
    revokeToken: (token) => void tokens.delete(token),
    close: async () => {
      await Promise.all([hub, content].map(closed));
    },
  };
}

function byId(repos: readonly FixtureRepo[]): Map<string, FixtureRepo> {
  return new Map(repos.map((repo) => [repo.id, repo]));
}

function asRepo(repo: FixtureRepo | string): FixtureRepo {
  return typeof repo === 'string' ? repoOf(repo, new Map()) : repo;
}

function listen(server: Server): Promise<string> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    });
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
    server.closeAllConnections();
  });
}

interface Context {
  readonly faults: Faults;
  readonly log: {
    readonly requests: LoggedRequest[];
    readonly preflights: LoggedRequest[];
    readonly now: Readonly<Record<'hub' | 'content', Set<LoggedRequest>>>;
    most: number;
  };
}

function serve(
  server: 'hub' | 'content',
  request: IncomingMessage,
  response: ServerResponse,
  { faults, log }: Context,
  answer: (exchange: Exchange) => Promise<void>,
): void {
  const url = new URL(request.url ?? '/', `http://${request.headers.host ?? ''}`);
  const logged: LoggedRequest = {
    server,
    method: request.method ?? '',
    path: decodeURIComponent(url.pathname) + url.search,
    authorization: request.headers.authorization ?? null,
    range: request.headers.range ?? null,
    status: 0,
    receivedBytes: 0,
    bodyBytes: 0,
  };
  const exchange: Exchange = { request, response, url, faults, log: logged, hidden: false };
  if (request.method === 'OPTIONS') {
    log.preflights.push(logged);
    answerPreflight(exchange);
    return;
  }
  log.requests.push(logged);
  log.now[server].add(logged);
  log.most = Math.max(log.most, log.now[server].size);
  // Over once everything is sent, or the asker is gone. An answer that waits for the one before it
  // on the same connection is never told that the connection closed: ask the connection.
  const { socket } = request;
  const end = (): void => {
    log.now[server].delete(logged);
    socket.off('close', end);
  };
  response.once('finish', end);
  socket.once('close', end);
  const fault = takeFault(exchange, 'refuse', 'status', 'no-cors');
  if (fault?.kind === 'refuse') {
    request.socket.destroy();
  } else if (fault?.kind === 'status') {
    const { status } = fault;
    const error = fault.message ?? 'On demand';
    sendJson(exchange, { error }, { status, headers: headersOfFault(fault) });
  } else {
    exchange.hidden = fault !== null;
    answer(exchange).catch(() => {
      response.destroy();
    });
  }
}

function headersOfFault({
  status,
  retryAfter,
  code,
  message,
}: Extract<FaultKind, { kind: 'status' }>): Record<string, string> {
  return {
    ...(status === 429 ? { ratelimit: '"resolvers";r=0;t=55' } : {}),
    ...(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }),
    ...(code === undefined ? {} : { 'x-error-code': code }),
    ...(message === undefined ? {} : { 'x-error-message': message }),
  };
}

/** The other origin: bytes of large files, over HTTP and by content. */
async function answerContent(state: HubState, exchange: Exchange): Promise<void> {
  const parts = exchange.url.pathname.split('/').slice(1).map(decodeURIComponent);
  if (await takeUpload(state, exchange, parts)) return;
  const [first, second, hash = ''] = parts;
  if (second === 'reconstructions') {
    sendReconstruction(state, exchange, hash);
    return;
  }
  const isBlock = first === 'xorbs';
  const file = isBlock ? fileByHash(state, second ?? '') : contentFile(state, parts);
  if (file === null) {
    sendError(exchange, 404, '', 'Not found');
    return;
  }
  const lie = takeFault(exchange, 'wrong-etag');
  const etag = `"${lie === null ? file.sha256 : 'changed'}"`;
  await sendFile(exchange, isBlock ? block(file) : file, { etag });
}

function sendReconstruction(state: HubState, exchange: Exchange, hash: string): void {
  const file = fileByHash(state, hash);
  const range = /^bytes=(\d+)-(\d+)$/.exec(exchange.log.range ?? '');
  if (exchange.log.authorization !== `Bearer ${state.storeToken}`) {
    sendError(exchange, 401, '', 'Not the store’s token');
  } else if (file === null || range === null) {
    sendError(exchange, 404, '', 'Not found');
  } else {
    const asked = { start: Number(range[1]), end: Number(range[2]) + 1 };
    sendJson(exchange, reconstruction(file, hash, asked, state.contentOrigin));
  }
}

function fileByHash({ repos }: HubState, hash: string): FixtureFile | null {
  for (const { revisions } of [...repos.models.values(), ...repos.datasets.values()]) {
    for (const files of revisions.values()) {
      for (const file of files.values()) if (file.sha256 === hash) return file;
    }
  }
  return null;
}
