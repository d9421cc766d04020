/** Faults on demand: each meets the next requests that it fits, as often as it says. */

export type FaultKind =
  /** The connection is cut after so many bytes of the body. */
  | { readonly kind: 'drop'; readonly afterBytes: number }
  /** The body stops after so many bytes, and the connection stays. */
  | { readonly kind: 'stall'; readonly afterBytes: number }
  /** The body ends early, and its headers agree with it. */
  | { readonly kind: 'short'; readonly bytes: number }
  /**
   * An error, with Retry-After in seconds, the Hub's code and its words where given. A 429 says when
   * its window ends in RateLimit, as the Hub does.
   */
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly retryAfter?: number;
      readonly code?: string;
      readonly message?: string;
    }
  /** The content host lets pages read no header but those that are always readable. */
  | { readonly kind: 'bare' }
  /** The range asked for is moved by so many bytes. */
  | { readonly kind: 'wrong-range'; readonly by: number }
  /** The range is ignored: the whole file comes. */
  | { readonly kind: 'ignore-range' }
  | { readonly kind: 'wrong-etag' }
  /** The hash of the content is not the listing's. */
  | { readonly kind: 'wrong-hash' }
  | { readonly kind: 'wrong-commit' }
  /** The answer may not be read by other origins' pages. */
  | { readonly kind: 'no-cors' }
  /** No answer at all: the connection is closed. */
  | { readonly kind: 'refuse' }
  /** The connection is cut after so many bytes of the request's own body. */
  | { readonly kind: 'drop-upload'; readonly afterBytes: number }
  /** The request's own body is taken, and no answer ever comes. */
  | { readonly kind: 'no-answer' }
  /** What was asked for is done, and the connection cut in place of an answer. */
  | { readonly kind: 'lose-answer' }
  /** The body comes this slowly. */
  | { readonly kind: 'slow'; readonly bytesPerSecond: number };

export type Fault = FaultKind & {
  /** Requests whose path matches. */
  readonly path: RegExp;
  /** Default: either. */
  readonly server?: 'hub' | 'content';
  /** Default: 1; Infinity for ever. */
  readonly times?: number;
};

export class Faults {
  #left: { readonly fault: Fault; times: number }[] = [];

  add(...faults: readonly Fault[]): void {
    for (const fault of faults) this.#left.push({ fault, times: fault.times ?? 1 });
  }

  clear(): void {
    this.#left = [];
  }

  /** The first fault of these kinds that fits, counted down. */
  take<K extends FaultKind['kind']>(
    server: 'hub' | 'content',
    path: string,
    kinds: readonly K[],
  ): Extract<FaultKind, { kind: K }> | null {
    const found = this.#left.find(
      ({ fault, times }) =>
        times > 0 &&
        (fault.server ?? server) === server &&
        fault.path.test(path) &&
        (kinds as readonly string[]).includes(fault.kind),
    );
    if (found === undefined) return null;
    found.times -= 1;
    return found.fault as Fault & Extract<FaultKind, { kind: K }>;
  }
}
