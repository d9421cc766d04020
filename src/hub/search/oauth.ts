/**
 * Signs in with the Hub: OAuth 2.0's authorization code with PKCE (RFC 7636), as a public client,
 * which has no secret. Nothing is stored: what proves that an answer belongs to its question lives
 * in memory until the answer comes, and so does the token.
 */
import { PeruError } from '@/core/errors';
import { isRecord } from '@/formats/checkpoint/json-file';
import { checkClientDocument } from './client-document';
import { HubClient } from '@/hub/hub-client';
import { offline, unreachable, wrongAnswer } from '@/hub/hub-errors';

export interface SignInRequest {
  /** Default: the public Hub. */
  readonly hubUrl?: string | undefined;
  /** Of an app registered with the Hub, or the address of a client id metadata document. */
  readonly clientId: string;
  /** Of this page's own origin, and one that the client is registered with. */
  readonly redirectUrl: string;
  readonly scopes: readonly string[];
  readonly fetch?: typeof fetch;
}

export interface PendingSignIn {
  /** Where the Hub asks the person. */
  readonly url: string;
  /** Tells this sign-in's answer from others. */
  readonly state: string;
  /**
   * Turns the answer, the query that the Hub sends the person back with, into a token.
   *
   * @throws PeruError `source` when the person refused, the answer is of another sign-in or came
   *   too late, or the Hub can not be asked
   */
  finish(query: string, signal: AbortSignal): Promise<SignedIn>;
}

export interface SignedIn {
  readonly accessToken: string;
  /** As the Hub calls the person. */
  readonly name: string;
  /** What was granted, which may be less than was asked for. */
  readonly scopes: readonly string[];
  /** In ms since 1970; null where the Hub does not say. */
  readonly expiresAt: number | null;
}

interface Endpoints {
  readonly authorize: string;
  readonly token: string;
  readonly userInfo: string;
}

/** What stands in messages in the place of a repo's name. */
const SIGN_IN = 'The sign-in';
const AGAIN = 'Sign in again, or paste an access token instead.';

/**
 * Prepares a sign-in: asks the Hub where its endpoints are, and makes up what ties the answer to
 * this question.
 *
 * @throws PeruError `source` when the Hub can not be asked, or would not know this page; the signal's
 *   reason once aborted
 */
export async function beginSignIn(
  request: SignInRequest,
  signal: AbortSignal,
): Promise<PendingSignIn> {
  const [endpoints] = await Promise.all([
    endpointsOf(request, signal),
    checkClientDocument(request, signal),
  ]);
  const [verifier, state, nonce] = [randomText(), randomText(), randomText()];
  const url = new URL(endpoints.authorize);
  url.search = new URLSearchParams({
    response_type: 'code',
    client_id: request.clientId,
    redirect_uri: request.redirectUrl,
    scope: request.scopes.join(' '),
    state,
    nonce,
    code_challenge: await challengeOf(verifier),
    code_challenge_method: 'S256',
  }).toString();
  return {
    url: url.href,
    state,
    finish: async (query, stop) => {
      const code = codeOf(query, state);
      const granted = await redeem(request, endpoints, { code, verifier, nonce }, stop);
      return { ...granted, name: await nameOf(request, endpoints, granted.accessToken, stop) };
    },
  };
}

/** The endpoints, which must be the Hub's own: the token goes to its origin and nowhere else. */
async function endpointsOf(request: SignInRequest, signal: AbortSignal): Promise<Endpoints> {
  const client = doorOf(request);
  const about = aboutOf(client);
  const url = new URL('/.well-known/openid-configuration', client.hub);
  const body: unknown = await (await client.apiFetch(about, signal)(url)).json();
  const endpoint = (name: string): string => {
    const address = isRecord(body) ? body[name] : null;
    const isOwn =
      typeof address === 'string' &&
      URL.canParse(address) &&
      new URL(address).origin === client.hub.origin;
    if (!isOwn) throw wrongAnswer(about, `${client.hub.host} names no ${name} of its own`);
    return address;
  };
  return {
    authorize: endpoint('authorization_endpoint'),
    token: endpoint('token_endpoint'),
    userInfo: endpoint('userinfo_endpoint'),
  };
}

/** @throws PeruError unless the answer grants what this sign-in asked for */
function codeOf(query: string, state: string): string {
  const answer = new URLSearchParams(query);
  const error = answer.get('error');
  const isNameless = error !== null && !answer.has('state');
  if (answer.get('state') !== state && !isNameless) {
    throw new PeruError('source', 'The answer is of another sign-in, and was not used.', AGAIN);
  }
  if (error === 'access_denied') {
    throw new PeruError(
      'source',
      'The sign-in was refused on the Hub’s page.',
      'Public repos can be read without signing in; for others sign in again, or paste an access token.',
    );
  }
  const code = answer.get('code');
  if (error !== null || code === null || code === '') {
    const why = (answer.get('error_description') ?? error ?? 'no code came').slice(0, 200);
    throw new PeruError('source', `The Hub did not sign you in: ${why}.`, AGAIN);
  }
  return code;
}

interface Proof {
  readonly code: string;
  readonly verifier: string;
  readonly nonce: string;
}

/** Exchanges the code for a token: once, since a code is good for one try. */
async function redeem(
  request: SignInRequest,
  endpoints: Endpoints,
  { code, verifier, nonce }: Proof,
  signal: AbortSignal,
): Promise<Omit<SignedIn, 'name'>> {
  const client = doorOf(request);
  const response = await ask(request, endpoints.token, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code,
      redirect_uri: request.redirectUrl,
      client_id: request.clientId,
      code_verifier: verifier,
    }).toString(),
    signal,
  });
  const body: unknown = await response.json().catch(() => null);
  const facts = isRecord(body) ? body : {};
  if (!response.ok) throw notRedeemed(facts['error'], response.status, client.hub.host);
  const { access_token: accessToken, expires_in: seconds, scope, id_token: idToken } = facts;
  if (typeof accessToken !== 'string' || accessToken === '') {
    throw wrongAnswer(aboutOf(client), 'it holds no token');
  }
  if (!hasNonce(idToken, nonce)) {
    throw new PeruError('source', 'The answer is of another sign-in, and was not used.', AGAIN);
  }
  return {
    accessToken,
    scopes: typeof scope === 'string' ? scope.split(' ') : request.scopes,
    expiresAt: typeof seconds === 'number' ? Date.now() + 1000 * seconds : null,
  };
}

function notRedeemed(error: unknown, status: number, host: string): PeruError {
  return error === 'invalid_grant'
    ? new PeruError('source', 'The sign-in took too long: what the Hub gave has expired.', AGAIN)
    : new PeruError(
        'source',
        `${host} did not sign you in: ${typeof error === 'string' ? error.slice(0, 200) : 'it gave no reason'} (${status}).`,
        AGAIN,
      );
}

/**
 * Whether an identity token was made for this sign-in. It came from the Hub itself, over the same
 * connection as the token, so its signature proves nothing more (OpenID Connect Core 3.1.3.7). One
 * that names no sign-in is let pass: state and verifier have tied the answer to it already.
 */
function hasNonce(idToken: unknown, nonce: string): boolean {
  if (typeof idToken !== 'string') return true;
  const [, payload = ''] = idToken.split('.');
  try {
    const claims: unknown = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/')));
    return isRecord(claims) && (claims['nonce'] === undefined || claims['nonce'] === nonce);
  } catch {
    return false;
  }
}

async function nameOf(
  request: SignInRequest,
  endpoints: Endpoints,
  accessToken: string,
  signal: AbortSignal,
): Promise<string> {
  const client = doorOf(request, accessToken);
  const body: unknown = await (
    await client.apiFetch(aboutOf(client), signal)(endpoints.userInfo)
  ).json();
  const name = isRecord(body) ? (body['preferred_username'] ?? body['name']) : null;
  if (typeof name !== 'string') throw wrongAnswer(aboutOf(client), 'it does not say who signed in');
  return name;
}

async function ask(
  request: SignInRequest,
  url: string,
  init: RequestInit & { readonly signal: AbortSignal },
): Promise<Response> {
  const send = request.fetch ?? fetch;
  try {
    return await send(url, {
      ...init,
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
      cache: 'no-store',
      redirect: 'error',
    });
  } catch (cause) {
    init.signal.throwIfAborted();
    const about = aboutOf(doorOf(request));
    const { onLine } = (globalThis.navigator as { onLine?: boolean } | undefined) ?? {};
    throw onLine === false ? offline(about, cause) : unreachable(about, about.hub.host, cause);
  }
}

function doorOf(request: SignInRequest, accessToken?: string): HubClient {
  const { hubUrl, fetch: send } = request;
  const retry = { maxFailures: 3, maxRetryAfterMs: 5000, stallMs: 15_000 };
  return new HubClient({
    hubUrl,
    accessToken,
    retry,
    ...(send === undefined ? {} : { fetch: send }),
  });
}

function aboutOf(client: HubClient) {
  return client.about({ repo: SIGN_IN, revision: null, path: null });
}

/** 256 random bits in the letters that RFC 7636 allows: 43 of them. */
function randomText(): string {
  return base64Url(crypto.getRandomValues(new Uint8Array(32)));
}

/** RFC 7636, 4.2: the base64url of the verifier's SHA-256. */
async function challengeOf(verifier: string): Promise<string> {
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier));
  return base64Url(new Uint8Array(hash));
}

function base64Url(bytes: Uint8Array): string {
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}
