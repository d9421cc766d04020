/**
 * Which hosts the page's own Content-Security-Policy keeps it from. A browser tells a refused
 * `fetch` nothing but that it failed; what refused it is told by an event of its own.
 */
export class ConnectPolicy {
  readonly #refused = new Set<string>();
  readonly #answered = new Set<string>();

  /** @param scope the page's or the worker's global scope */
  constructor(scope: Partial<Pick<EventTarget, 'addEventListener'>>) {
    scope.addEventListener?.('securitypolicyviolation', (event) => {
      const { effectiveDirective, blockedURI } = event as SecurityPolicyViolationEvent;
      const isConnect = effectiveDirective === 'connect-src' && URL.canParse(blockedURI);
      if (isConnect) this.#refused.add(new URL(blockedURI).origin);
    });
  }

  /** An answer came. What is told of its origin later is about where it redirects to. */
  noteAnswer(url: URL): void {
    this.#answered.add(url.origin);
  }

  refuses(url: URL): boolean {
    return this.#refused.has(url.origin) && !this.#answered.has(url.origin);
  }
}

/** The policy of the scope that this code runs in: Node has none. */
export const connectPolicy = new ConnectPolicy(globalThis);
