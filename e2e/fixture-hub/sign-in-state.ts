export interface FixtureApp {
  readonly clientId: string;
  /** Those of `http://localhost` and `http://127.0.0.1` without their port. */
  readonly redirectUrls: readonly string[];
  /** Who signs in. */
  readonly user: string;
  /** What the tokens handed out may read, beyond what is public; their scope says if they may write. */
  readonly repos: readonly string[];
  /** Default: 8 hours. */
  readonly expiresInSeconds?: number;
}

/**
 * What the person does on the Hub's page; `wait`: nothing yet, the page shows both answers. Or how the
 * Hub fails there: `fail` sends the person back with an error that names no sign-in, `break` shows one
 * and sends nobody anywhere.
 */
export type SignInDecision = 'accept' | 'refuse' | 'wait' | 'fail' | 'break';

export interface SignInState {
  readonly app: FixtureApp | null;
  decision: SignInDecision;
  /** Makes the identity token one of another sign-in. */
  wrongNonce: boolean;
  /** Makes codes expire at once. */
  expired: boolean;
  readonly codes: Map<string, URLSearchParams>;
}

export function signInState(app: FixtureApp | undefined): SignInState {
  const codes = new Map<string, URLSearchParams>();
  return { app: app ?? null, decision: 'accept', wrongNonce: false, expired: false, codes };
}
