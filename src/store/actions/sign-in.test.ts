/** Signing in, against a fixture Hub that checks what a Hub checks. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { findHubRepos } from '@/hub/search/hub-find';
import { memoryFiles, repoOf } from '../../../e2e/fixture-hub/content';
import { type FixtureHub, startFixtureHub } from '../../../e2e/fixture-hub/start-fixture-hub';
import { setAccessToken, setHub } from './hub';
import { cancelSignIn, signIn, signInStore, signOut } from './sign-in';
import { SIGN_IN_CHANNEL, type SignInPorts } from './sign-in-ports';
import { hubStore, INITIAL_HUB_STATE } from '@/store/state/hub';

const CLIENT = 'peru-fixture';

let hub: FixtureHub;
let closed: number;
let visited: string[];

/** What public/oauth-callback.js does with the address that the Hub sends the person to. */
async function callback(query: string): Promise<boolean> {
  const channel = new BroadcastChannel(SIGN_IN_CHANNEL);
  const state = new URLSearchParams(query).get('state');
  const taken = new Promise<boolean>((resolve) => {
    channel.addEventListener('message', (event) => {
      const { data } = event as MessageEvent<{ kind: string; state: string }>;
      if (data.kind === 'taken' && data.state === state) resolve(true);
    });
    setTimeout(() => {
      resolve(false);
    }, 1000);
  });
  channel.postMessage({ kind: 'answer', query });
  const wasTaken = await taken;
  channel.close();
  return wasTaken;
}

/** A window whose person does as the Hub's `decision` says. */
function ports(change: Partial<SignInPorts> = {}): SignInPorts {
  return {
    clientId: CLIENT,
    redirectUrl: 'http://localhost:4173/oauth-callback.html',
    openWindow: () => ({
      go: (url) => {
        visited.push(url);
        void fetch(url, { redirect: 'manual' }).then((answer) => {
          const back = answer.headers.get('location');
          return back === null ? undefined : callback(new URL(back).search);
        });
      },
      close: () => {
        closed += 1;
      },
    }),
    ...change,
  };
}

const state = () => signInStore.getState();
const token = () => hubStore.getState().accessToken;

beforeAll(async () => {
  hub = await startFixtureHub({
    repos: [repoOf('ada/hidden', memoryFiles({ 'config.json': '{}' }), { private: true })],
    app: {
      clientId: CLIENT,
      redirectUrls: ['http://localhost/oauth-callback.html'],
      user: 'ada',
      repos: ['ada/hidden'],
    },
  });
});

beforeEach(() => {
  closed = 0;
  visited = [];
  signOut();
  hubStore.setState({ ...INITIAL_HUB_STATE, hubUrl: hub.hubUrl, repos: ['ada/hidden'] }, true);
  Object.assign(hub.signIn, { decision: 'accept', wrongNonce: false, expired: false });
  hub.clearLog();
});

afterEach(() => {
  signOut();
  hub.clearFaults();
});

afterAll(() => hub.close());

describe('signing in', () => {
  it('ends with a token that reads, a name, and all that was typed', async () => {
    await signIn(ports());
    expect(state()).toMatchObject({ status: 'in', name: 'ada', note: null });
    expect(state()).toMatchObject({ scopes: ['openid', 'profile', 'read-repos', 'gated-repos'] });
    expect(hubStore.getState().repos).toEqual(['ada/hidden']);
    const asker = { hubUrl: hub.hubUrl, accessToken: token() };
    const found = await findHubRepos(asker, 'hidden', new AbortController().signal);
    expect(found).toMatchObject([{ repo: 'ada/hidden', private: true }]);
  });

  it('asks for no more than it is told to, and proves itself by PKCE alone', async () => {
    await signIn(ports(), ['openid', 'profile', 'write-repos']);
    expect(state()).toMatchObject({ scopes: ['openid', 'profile', 'write-repos'] });
    const asked = new URL(visited[0]!).searchParams;
    expect(Object.fromEntries(asked)).toMatchObject({
      response_type: 'code',
      client_id: CLIENT,
      code_challenge_method: 'S256',
      scope: 'openid profile write-repos',
    });
    expect(asked.get('code_challenge')).toMatch(/^[\w-]{43}$/);
    await signIn(ports());
    const again = new URL(visited[1]!).searchParams;
    for (const name of ['state', 'nonce', 'code_challenge']) {
      expect(again.get(name)).not.toBe(asked.get(name));
    }
  });

  it('lets the token go to the Hub alone, and into no address', async () => {
    await signIn(ports());
    const secret = token();
    expect(secret).toMatch(/^hf_oauth_/);
    for (const { path, server } of hub.requests) {
      expect(path).not.toContain(secret);
      expect(server).toBe('hub');
    }
    expect(visited.join(' ')).not.toContain(secret);
    expect(JSON.stringify(state())).not.toContain(secret);
  });

  it('is forgotten on signing out, with another token, and with another Hub', async () => {
    await signIn(ports());
    signOut();
    expect(token()).toBe('');
    expect(state()).toEqual({ status: 'out', note: null });
    await signIn(ports());
    setAccessToken('hf_pasted');
    expect(token()).toBe('hf_pasted');
    expect(state()).toEqual({ status: 'out', note: null });
    await signIn(ports());
    expect(state()).toMatchObject({ status: 'in' });
    setHub(null);
    expect(token()).toBe('');
    expect(state()).toEqual({ status: 'out', note: null });
  });
});

describe('a sign-in that does not go well', () => {
  const note = () => {
    const now = state();
    return 'note' in now ? now.note?.message : undefined;
  };

  it('because it was refused says so, and closes the window', async () => {
    hub.signIn.decision = 'refuse';
    await signIn(ports());
    expect(note()).toMatch(/refused/);
    expect(token()).toBe('');
    expect(closed).toBe(1);
  });

  it('because the Hub failed and names no sign-in says so, and waits no longer', async () => {
    hub.signIn.decision = 'fail';
    await signIn(ports());
    expect(note()).toBe('The Hub did not sign you in: The consent could not be stored.');
    expect(state()).toMatchObject({ note: { hint: expect.stringMatching(/paste/) as string } });
    expect(closed).toBe(1);
  });

  it.each([
    ['expired', /took too long/],
    ['wrongNonce', /of another sign-in/],
  ] as const)('because of what the Hub hands out (%s) says so', async (fault, says) => {
    hub.signIn[fault] = true;
    await signIn(ports());
    expect(note()).toMatch(says);
    expect(token()).toBe('');
  });

  it('because the Hub does not answer, or no window may open, says so', async () => {
    hub.fault({ kind: 'status', status: 500, path: /openid/, times: Infinity });
    await signIn(ports());
    expect(note()).toMatch(/^The sign-in could not be fetched: .*busy or broken/);
    await signIn(ports({ openWindow: () => null }));
    expect(note()).toMatch(/kept the Hub’s page from opening/);
  });

  it('keeps who was signed in before', async () => {
    await signIn(ports());
    const before = token();
    hub.signIn.decision = 'refuse';
    await signIn(ports(), ['openid', 'profile', 'write-repos']);
    expect(state()).toMatchObject({ status: 'in', name: 'ada' });
    expect(note()).toMatch(/refused/);
    expect(token()).toBe(before);
  });

  it('is given up by the visitor, and its late answer used by nobody', async () => {
    hub.signIn.decision = 'wait';
    const done = signIn(ports());
    await expect.poll(() => visited).toHaveLength(1);
    expect(state()).toEqual({ status: 'waiting' });
    cancelSignIn();
    await done;
    expect(state()).toEqual({ status: 'out', note: null });
    expect(closed).toBe(1);
    const late = new URL(visited[0]!).searchParams.get('state');
    expect(await callback(`?code=x&state=${late ?? ''}`)).toBe(false);
    expect(token()).toBe('');
  });

  it('takes no answer to another question', async () => {
    hub.signIn.decision = 'wait';
    const done = signIn(ports());
    await expect.poll(() => visited).toHaveLength(1);
    expect(await callback('?code=stolen&state=guessed')).toBe(false);
    expect(state()).toEqual({ status: 'waiting' });
    cancelSignIn();
    await done;
    expect(hub.requests.some(({ path }) => path.startsWith('/oauth/token'))).toBe(false);
  });

  it('does nothing where no app is set up', async () => {
    await signIn(ports({ clientId: null }));
    expect(state()).toEqual({ status: 'out', note: null });
    expect(hub.requests).toEqual([]);
  });
});

it('ends when the token expires, and says so', async () => {
  const app = { clientId: CLIENT, redirectUrls: ['http://localhost/oauth-callback.html'] };
  const brief = await startFixtureHub({
    repos: [],
    app: { ...app, user: 'bob', repos: [], expiresInSeconds: 0.2 },
  });
  hubStore.setState({ hubUrl: brief.hubUrl });
  await signIn(ports());
  expect(state()).toMatchObject({ status: 'in', name: 'bob' });
  await expect.poll(state).toMatchObject({ status: 'out' });
  expect(state()).toMatchObject({ note: { message: expect.stringMatching(/expired/) as string } });
  expect(token()).toBe('');
  await brief.close();
});
