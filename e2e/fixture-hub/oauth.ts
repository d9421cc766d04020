/**
 * The fixture Hub as a place to sign in: OAuth's authorization code with PKCE for a public client,
 * each code good for one try, redirect addresses as they are registered (any port on this machine).
 */
import { createHash, randomBytes } from 'node:crypto';
import { type HubState } from './hub-state';
import { type Exchange, redirect, sendError, sendHtml, sendJson } from './respond';

/** `/.well-known/openid-configuration` and `/oauth/…`; false for other addresses. */
export async function answerSignIn(state: HubState, exchange: Exchange): Promise<boolean> {
  const { pathname } = exchange.url;
  if (pathname === '/.well-known/openid-configuration') {
    const at = `${state.hubOrigin}/oauth`;
    sendJson(exchange, {
      issuer: state.hubOrigin,
      authorization_endpoint: `${at}/authorize`,
      token_endpoint: `${at}/token`,
      userinfo_endpoint: `${at}/userinfo`,
      code_challenge_methods_supported: ['S256'],
    });
  } else if (pathname === '/oauth/authorize') authorize(state, exchange);
  else if (pathname === '/oauth/token') await handOut(state, exchange);
  else if (pathname === '/oauth/userinfo') userInfo(state, exchange);
  else return false;
  return true;
}

function authorize({ signIn }: HubState, exchange: Exchange): void {
  const asked = exchange.url.searchParams;
  const back = asked.get('redirect_uri') ?? '';
  const { app, codes, decision } = signIn;
  const isSound =
    app !== null &&
    asked.get('client_id') === app.clientId &&
    asked.get('response_type') === 'code' &&
    asked.get('code_challenge_method') === 'S256' &&
    app.redirectUrls.includes(withoutPort(back));
  if (!isSound) {
    sendError(exchange, 400, '', 'Invalid client or redirect_uri');
    return;
  }
  const code = randomBytes(16).toString('hex');
  codes.set(code, asked);
  const state = asked.get('state') ?? '';
  const yes = answerAddress(back, { code, state });
  const no = answerAddress(back, {
    error: 'access_denied',
    error_description: 'The resource owner denied the request',
    state,
  });
  if (decision === 'break') {
    sendError(exchange, 502, '', 'The client could not be looked up');
  } else if (decision === 'fail') {
    const description = 'The consent could not be stored';
    redirect(
      exchange,
      302,
      answerAddress(back, { error: 'server_error', error_description: description }),
    );
  } else if (decision === 'wait') {
    sendHtml(exchange, `<a href="${yes}">Authorize</a> <a href="${no}">Deny</a>`);
  } else redirect(exchange, 302, decision === 'accept' ? yes : no);
}

function answerAddress(back: string, answer: Record<string, string>): string {
  const url = new URL(back);
  url.search = new URLSearchParams(answer).toString();
  return url.href;
}

/** RFC 8252, 7.3: on this machine any port will do. */
function withoutPort(address: string): string {
  if (!URL.canParse(address)) return '';
  const url = new URL(address);
  if (url.protocol === 'http:' && ['localhost', '127.0.0.1'].includes(url.hostname)) url.port = '';
  return url.href;
}

async function handOut(state: HubState, exchange: Exchange): Promise<void> {
  let text = '';
  for await (const chunk of exchange.request) text += String(chunk);
  const given = new URLSearchParams(text);
  const { app, codes, wrongNonce, expired } = state.signIn;
  const asked = codes.get(given.get('code') ?? '');
  codes.delete(given.get('code') ?? '');
  const hash = createHash('sha256').update(given.get('code_verifier') ?? '');
  const isSound =
    app !== null &&
    asked !== undefined &&
    !expired &&
    given.get('grant_type') === 'authorization_code' &&
    given.get('client_id') === asked.get('client_id') &&
    given.get('redirect_uri') === asked.get('redirect_uri') &&
    hash.digest('base64url') === asked.get('code_challenge');
  if (!isSound) {
    sendJson(exchange, { error: 'invalid_grant' }, { status: 400 });
    return;
  }
  const accessToken = `hf_oauth_${randomBytes(12).toString('hex')}`;
  state.tokens.set(accessToken, { user: app.user, repos: app.repos });
  // Either lets an app make repos, the first into those alone; `write-repos` alone does not.
  const scopes = (asked.get('scope') ?? '').split(' ');
  if (scopes.includes('manage-repos')) state.writers.set(accessToken, [app.user]);
  else if (scopes.includes('contribute-repos')) {
    state.contributors.set(accessToken, { account: app.user, made: new Set() });
  }
  const nonce = wrongNonce ? 'another' : asked.get('nonce');
  sendJson(exchange, {
    access_token: accessToken,
    token_type: 'bearer',
    expires_in: app.expiresInSeconds ?? 28_800,
    scope: asked.get('scope'),
    id_token: identity({ iss: state.hubOrigin, aud: app.clientId, sub: app.user, nonce }),
  });
}

/** Unsigned: nobody here looks at its signature. */
function identity(claims: Record<string, unknown>): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none' })}.${part(claims)}.`;
}

function userInfo({ tokens }: HubState, exchange: Exchange): void {
  const token = exchange.log.authorization?.replace(/^Bearer /, '') ?? '';
  const user = tokens.get(token)?.user;
  if (user === undefined) sendError(exchange, 401, '', 'Invalid token');
  else sendJson(exchange, { sub: user, name: `${user} of the fixture`, preferred_username: user });
}
