/**
 * The client that an upload goes out by. As with `HubClient`, the access token goes to the Hub's own
 * origin and nowhere else; unlike it, what is long here are the requests, not the answers.
 */
import { PeruError } from '@/core/errors';
import { type Pause } from '@/formats/checkpoint/checkpoint-source';
import { type Clock, SYSTEM_CLOCK } from '@/core/clock';
import { connectPolicy } from '@/hub/connect-policy';
import { Cooldown } from '@/hub/cooldown';
import { withSlash } from '@/hub/hub-errors';
import { DEFAULT_HUB_URL } from '@/hub/repo-ref';
import { DEFAULT_RETRY, type RetryPolicy, retrying, TransientError } from '@/core/retry';
import { send } from './upload-send';
import {
  type UploadAbout,
  uploadBrokeOff,
  uploadNotAllowed,
  uploadOffline,
  uploadRefused,
} from './upload-errors';

export interface UploadClientOptions {
  readonly hubUrl?: string | undefined;
  /** Sent to the origin of `hubUrl` only. Held in memory, never part of a URL or a message. */
  readonly accessToken: string;
  /** Whether the token came from a sign-in; default false. */
  readonly signedIn?: boolean | undefined;
  readonly fetch?: typeof fetch | undefined;
  readonly retry?: Partial<RetryPolicy> | undefined;
  readonly clock?: Clock | undefined;
  /** As of `HubClient`. */
  readonly onPause?: ((pause: Pause | null) => void) | undefined;
}

/** A commit of many files takes the Hub long to answer, and a slow line long to swallow a piece. */
const STALL_MS = 150_000;

export class UploadClient {
  readonly hub: URL;
  readonly repo: string;
  readonly #token: string;
  readonly #signedIn: boolean;
  readonly #fetch: typeof fetch | undefined;
  readonly #policy: RetryPolicy;
  readonly #clock: Clock;
  readonly #cooldown: Cooldown;

  constructor(repo: string, options: UploadClientOptions) {
    this.hub = withSlash(new URL(options.hubUrl ?? DEFAULT_HUB_URL));
    this.repo = repo;
    this.#token = options.accessToken;
    this.#signedIn = options.signedIn ?? false;
    this.#fetch = options.fetch;
    this.#policy = { ...DEFAULT_RETRY, stallMs: STALL_MS, ...options.retry };
    this.#clock = options.clock ?? SYSTEM_CLOCK;
    this.#cooldown = new Cooldown({ clock: this.#clock, onPause: options.onPause });
  }

  /** The Hub's address as `@huggingface/hub` takes it: without a slash at its end. */
  get hubUrl(): string {
    return this.hub.href.replace(/\/+$/, '');
  }

  about(host = this.hub.host): UploadAbout {
    return { hub: this.hub, repo: this.repo, host, signedIn: this.#signedIn };
  }

  /**
   * A `fetch` for `@huggingface/hub`: answers whole, tried again where that may help, refusals as
   * errors for people. Every request stops with `stopped`, those too that the library gives none.
   *
   * Sending again is safe: large files are named by their content, and a commit names its parent.
   *
   * @throws PeruError what the visitor is told; the signal's reason once aborted
   */
  fetch(stopped: AbortSignal): typeof fetch {
    const policy = this.#policy;
    const clock = this.#clock;
    return async (input, init = {}) => {
      // The library's own signal stops the requests beside one that failed.
      const signal = init.signal ? AbortSignal.any([stopped, init.signal]) : stopped;
      const url = new URL(input instanceof Request ? input.url : input);
      const about = this.about(url.host);
      const attempt = (): Promise<Response> => this.#once(url, init, about, signal);
      try {
        return await retrying(attempt, { policy, signal, clock });
      } catch (error) {
        if (!(error instanceof TransientError)) throw error;
        throw error.connection && isOffline()
          ? uploadOffline(about, error.error.cause)
          : error.error;
      }
    };
  }

  async #once(
    url: URL,
    init: RequestInit,
    about: UploadAbout,
    signal: AbortSignal,
  ): Promise<Response> {
    await this.#cooldown.over(signal);
    const response = await this.#answer(url, init, about, signal);
    // The library asks the store whether it knows a piece already: "no" is no failure.
    const isQuestion = (init.method ?? 'GET') === 'GET' && url.origin !== this.hub.origin;
    if (response.ok || (isQuestion && response.status === 404)) return response;
    const error = uploadRefused(response, await response.text(), about, this.#policy);
    const wait = error instanceof TransientError ? error.limitMs : null;
    if (wait !== null && wait <= this.#policy.maxRetryAfterMs) this.#cooldown.begin(url.host, wait);
    throw error;
  }

  async #answer(
    url: URL,
    init: RequestInit,
    about: UploadAbout,
    signal: AbortSignal,
  ): Promise<Response> {
    const headers = this.#headersFor(url, init.headers);
    const { stallMs } = this.#policy;
    try {
      const response = await send(url, { ...init, headers, signal }, { stallMs, by: this.#fetch });
      connectPolicy.noteAnswer(url);
      return response;
    } catch (cause) {
      signal.throwIfAborted();
      if (cause instanceof PeruError) throw cause;
      if (connectPolicy.refuses(url)) throw uploadNotAllowed(about);
      throw new TransientError(uploadBrokeOff(about, cause), { connection: true });
    }
  }

  /** Other hosts get what the library made for them (signed addresses, tokens of their own). */
  #headersFor(url: URL, given: HeadersInit | undefined): Headers {
    const headers = new Headers(given);
    if (url.origin === this.hub.origin) headers.set('authorization', `Bearer ${this.#token}`);
    else if (headers.get('authorization')?.includes(this.#token) === true) {
      headers.delete('authorization');
    }
    return headers;
  }
}

function isOffline(): boolean {
  // Node's navigator knows nothing of the network.
  const { onLine } = (globalThis.navigator as { onLine?: boolean } | undefined) ?? {};
  return onLine === false;
}
