/**
 * The one client of a Hub: every request of a job goes through it, so that the access token goes to
 * the Hub's own origin and nowhere else, few requests run at once, and a rate limit quiets all.
 */
import { PeruError } from '@/core/errors';
import { type Pause } from '@/formats/checkpoint/checkpoint-source';
import { type Clock, SYSTEM_CLOCK } from '@/core/clock';
import { connectPolicy } from './connect-policy';
import { Cooldown } from './cooldown';
import { type RangeCache } from '@/hub/cache/range-cache';
import {
  type About,
  blocked,
  notAllowed,
  offline,
  statusError,
  unreachable,
  withSlash,
  wrongAnswer,
} from './hub-errors';
import { DEFAULT_HUB_URL } from './repo-ref';
import { DEFAULT_RETRY, type RetryPolicy, retrying, TransientError } from '@/core/retry';
import { Slots } from '@/core/slots';
import { readBody } from './read-body';

export interface HubOptions {
  /** Default: the public Hub. */
  readonly hubUrl?: string | undefined;
  /** Sent to the origin of `hubUrl` only. Held in memory, never part of a URL or a message. */
  readonly accessToken?: string | undefined;
  readonly fetch?: typeof fetch;
  readonly retry?: Partial<RetryPolicy>;
  readonly clock?: Clock;
  /** Told when a rate limit brings everything to a stop, and null when it goes on. */
  readonly onPause?: ((pause: Pause | null) => void) | undefined;
  /** Requests under way at once, over all files. */
  readonly maxRequests?: number;
  /** Longest range of one request, in bytes: longer reads run side by side. */
  readonly partBytes?: number;
  /** Which way bytes come first; the other one is the way out. */
  readonly transport?: Transport;
  /** Where what was fetched is kept, and looked for first. */
  readonly cache?: RangeCache | undefined;
}

/** Ranges over plain HTTP, or chunks from the Hub's content-addressed store. */
export type Transport = 'http' | 'xet';

/** What has moved through a client so far. */
export interface Traffic {
  /** Requests sent, repeated ones included. */
  readonly requests: number;
  /** Bytes of files received, over plain HTTP as on the wire; over Xet once unpacked. */
  readonly fileBytes: number;
  /** Bytes of files that the cache had. */
  readonly cachedBytes: number;
}

const MEBI = 1024 * 1024;
/** Browsers open six connections to a host over HTTP/1.1. */
const DEFAULT_MAX_REQUESTS = 6;
/** As large as what lies in memory for it allows: the Hub counts requests, not bytes. */
const DEFAULT_PART_BYTES = 32 * MEBI;
/** Longest answer of the API that is read: listings come in pages far below. */
const MAX_API_BYTES = 32 * MEBI;
const PROBE_MS = 5000;

export class HubClient {
  readonly hub: URL;
  readonly policy: RetryPolicy;
  readonly partBytes: number;
  readonly cache: RangeCache | null;
  /** Tried first; the one that last worked where the other failed. */
  transport: Transport;
  readonly #token: string | undefined;
  readonly #fetch: typeof fetch;
  readonly #slots: Slots;
  readonly #clock: Clock;
  readonly #cooldown: Cooldown;
  #requests = 0;
  #fileBytes = 0;
  #cachedBytes = 0;

  constructor(options: HubOptions = {}) {
    this.hub = withSlash(new URL(options.hubUrl ?? DEFAULT_HUB_URL));
    this.policy = { ...DEFAULT_RETRY, ...options.retry };
    this.partBytes = options.partBytes ?? DEFAULT_PART_BYTES;
    this.cache = options.cache ?? null;
    this.transport = options.transport ?? 'http';
    this.#token = options.accessToken === '' ? undefined : options.accessToken;
    this.#fetch = options.fetch ?? ((input, init) => fetch(input, init));
    this.#slots = new Slots(options.maxRequests ?? DEFAULT_MAX_REQUESTS);
    this.#clock = options.clock ?? SYSTEM_CLOCK;
    this.#cooldown = new Cooldown({ clock: this.#clock, onPause: options.onPause });
  }

  get hasToken(): boolean {
    return this.#token !== undefined;
  }

  /** The Hub's address as `@huggingface/hub` takes it: without a slash at its end. */
  get hubUrl(): string {
    return this.hub.href.replace(/\/+$/, '');
  }

  /** So far; poll it. Bytes the cache had and bytes that came over the network are apart. */
  get traffic(): Traffic {
    const [requests, fileBytes, cachedBytes] = [this.#requests, this.#fileBytes, this.#cachedBytes];
    return { requests, fileBytes, cachedBytes };
  }

  countFileBytes(bytes: number): void {
    this.#fileBytes += bytes;
  }

  countCachedBytes(bytes: number): void {
    this.#cachedBytes += bytes;
  }

  about(what: Pick<About, 'repo' | 'revision' | 'path'>): About {
    return { ...what, hub: this.hub, hasToken: this.hasToken };
  }

  /**
   * Runs one transfer, headers to last byte, when its turn has come and no rate limit holds. It is cut off when no byte has come for `stallMs`; `heard` says that one has.
   */
  async inTurn<T>(
    work: (signal: AbortSignal, heard: () => void) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    return this.#slots.run(async () => {
      await this.#cooldown.over(signal);
      return untilStalled(work, this.policy.stallMs, signal);
    }, signal);
  }

  /**
   * One request, once.
   *
   * @returns an answer with a status of success
   * @throws TransientError where trying again may help, PeruError where not; the signal's reason
   *   once aborted
   */
  async send(
    input: string | URL,
    about: About,
    init: RequestInit & { readonly signal: AbortSignal },
  ): Promise<Response> {
    const url = new URL(input);
    const response = await this.#answer(url, about, {
      ...init,
      headers: this.#headersFor(url, init.headers),
      // No cookies, no address of this page. Through its own cache, Chromium cuts the ranges of one
      // file anew (6 made 10 requests of the content host) and keeps gigabytes a second time. Without
      // it, it also remembers no preflight: with a token each request to the Hub costs one, a round
      // trip beside the transfers under way. That is the cheaper of the two, and few requests make it
      // cheaper still; without a token a range needs none (e2e/connection.spec.ts measures both).
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
      cache: 'no-store',
    });
    if (response.ok) return response;
    const error = statusError(response, about, this.policy);
    await response.body?.cancel().catch(() => undefined);
    if (error instanceof TransientError) this.#heed(error);
    throw error;
  }

  /** Tries again as this client's policy says; throws as `retrying` does. */
  retrying<T>(attempt: () => Promise<T>, signal: AbortSignal, progress?: () => number): Promise<T> {
    const options = { policy: this.policy, clock: this.#clock, signal };
    return retrying(attempt, progress === undefined ? options : { ...options, progress });
  }

  /** A `fetch` for `@huggingface/hub`: small answers, whole, tried again where that may help. */
  apiFetch(about: About, signal: AbortSignal): typeof fetch {
    return (input, init) => {
      const attempt = async (cut: AbortSignal, heard: () => void): Promise<Response> => {
        const response = await this.send(urlOf(input), about, { ...init, signal: cut });
        const { status, headers } = response;
        const body = await readSmallBody(response, about, heard);
        return new Response(body, { status, headers });
      };
      const attempts = this.retrying(() => this.inTurn(attempt, signal), signal);
      return attempts.catch((error: unknown) => this.rethrow(error, about));
    };
  }

  /** Who is asked for patience too long is not waited for: the one who was told gives up. */
  #heed({ limitMs, retryAfterMs }: TransientError): void {
    const wait = limitMs ?? retryAfterMs;
    if (wait === null || wait > this.policy.maxRetryAfterMs) return;
    this.#cooldown.begin(this.hub.host, wait);
  }

  async #answer(url: URL, about: About, init: RequestInit): Promise<Response> {
    try {
      this.#requests += 1;
      const response = await this.#fetch(url, init);
      connectPolicy.noteAnswer(url);
      return response;
    } catch (cause) {
      if (cause instanceof PeruError) throw cause;
      if (connectPolicy.refuses(url)) throw notAllowed(about, url.host);
      const error = unreachable(about, url.host, cause);
      throw new TransientError(error, { connection: true });
    }
  }

  /** The token to the Hub's origin alone; a redirect elsewhere drops it, as fetch demands. */
  #headersFor(url: URL, given: HeadersInit | undefined): Headers {
    const headers = new Headers(given);
    if (url.origin === this.hub.origin) {
      headers.delete('authorization');
      if (this.#token !== undefined) headers.set('authorization', `Bearer ${this.#token}`);
    } else if (this.#token !== undefined) {
      const value = headers.get('authorization') ?? '';
      if (value.includes(this.#token)) headers.delete('authorization');
    }
    return headers;
  }

  /**
   * Throws what a visitor is told. Once connections failed for good, that takes a look around: a
   * browser tells scripts neither that it is offline nor that it withheld an answer.
   */
  async rethrow(error: unknown, about: About): Promise<never> {
    if (!(error instanceof TransientError)) throw error;
    if (!error.connection) throw error.error;
    const { cause } = error.error;
    if (isOffline()) throw offline(about, cause);
    throw (await this.#hubAnswers()) ? blocked(about, cause) : error.error;
  }

  /** Whether the Hub itself answers, and this page may read it. */
  async #hubAnswers(): Promise<boolean> {
    const signal = AbortSignal.timeout(PROBE_MS);
    const probe = { credentials: 'omit', cache: 'no-store', signal } as const;
    try {
      const response = await this.#fetch(new URL('api/models?limit=1', this.hub), probe);
      await response.body?.cancel();
      return true;
    } catch {
      return false;
    }
  }
}

async function untilStalled<T>(
  work: (signal: AbortSignal, heard: () => void) => Promise<T>,
  stallMs: number,
  signal: AbortSignal,
): Promise<T> {
  const stalled = new AbortController();
  const cut = (): void => {
    stalled.abort(new DOMException(`No byte for ${stallMs} ms.`, 'TimeoutError'));
  };
  let timer = setTimeout(cut, stallMs);
  const heard = (): void => {
    clearTimeout(timer);
    timer = setTimeout(cut, stallMs);
  };
  try {
    return await work(AbortSignal.any([signal, stalled.signal]), heard);
  } finally {
    clearTimeout(timer);
  }
}

async function readSmallBody(
  response: Response,
  about: About,
  heard: () => void,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  await readBody(response, about, (chunk) => {
    heard();
    length += chunk.length;
    if (length > MAX_API_BYTES)
      throw wrongAnswer(about, `it is longer than ${MAX_API_BYTES} bytes`);
    chunks.push(chunk);
  });
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

function urlOf(input: RequestInfo | URL): string | URL {
  return input instanceof Request ? input.url : input;
}

function isOffline(): boolean {
  // Node's navigator knows nothing of the network.
  const { onLine } = (globalThis.navigator as { onLine?: boolean } | undefined) ?? {};
  return onLine === false;
}
