/** Finding repos on the page, by role, name and keyboard, against answers that the test makes. */
import { createElement } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { revisionStore } from '@/store/actions/revisions';
import { signOut } from '@/store/actions/sign-in';
import { hubStore, INITIAL_HUB_STATE } from '@/store/state/hub';
import { dropSuggestions } from '@/store/actions/suggestions';
import { HubPanel } from './hub-panel';
import '../../tokens.css';
import '../../base.css';

const HUB = 'https://hub.example';

let root: Root;
let asked: string[];

const COMMIT = 'ab'.repeat(20);

const model = (id: string, more: object = {}) => {
  const facts = { downloads: 1_234_000, likes: 340, private: false, gated: false };
  return { _id: id, id, tags: [], lastModified: '2024-01-01', ...facts, ...more };
};

/** What the Hub answers, by path; null: it can not be reached. */
type Answers = (url: URL) => unknown;

const HAPPY: Answers = ({ pathname }) => {
  if (pathname === '/api/models') {
    const gated = model('me/clip-gated', { gated: 'manual', tags: ['safetensors'] });
    return [model('me/clip-a'), gated, model('me/clip-lora', { library_name: 'peft' })];
  }
  if (pathname.endsWith('/refs')) {
    const ref = (name: string, full: string) => ({ name, ref: full, targetCommit: COMMIT });
    return {
      branches: [ref('main', 'refs/heads/main')],
      tags: [ref('v1', 'refs/tags/v1')],
      pullRequests: [ref('refs/pr/7', 'refs/pr/7')],
    };
  }
  const author = { name: 'SFconvertbot' };
  return { discussions: [{ num: 7, isPullRequest: true, author }], count: 1 };
};

function answer(answers: Answers): void {
  vi.spyOn(globalThis, 'fetch').mockImplementation((input) => {
    const url = new URL(input instanceof Request ? input.url : input);
    asked.push(url.href);
    const body = answers(url);
    if (body === null) return Promise.reject(new TypeError('Failed to fetch'));
    return Promise.resolve(Response.json(body));
  });
}

beforeEach(async () => {
  asked = [];
  answer(HAPPY);
  hubStore.setState({ ...INITIAL_HUB_STATE, hubUrl: HUB }, true);
  revisionStore.setState({}, true);
  const host = document.createElement('div');
  document.body.append(host);
  root = createRoot(host);
  root.render(createElement(HubPanel));
  await expect.element(field()).toBeVisible();
});

afterEach(() => {
  root.unmount();
  document.body.replaceChildren();
  dropSuggestions();
  vi.restoreAllMocks();
});

const field = () => page.getByRole('textbox', { name: 'Hugging Face repo' });
const list = () => page.getByRole('listbox', { name: 'Matching repos' });
const option = (name: RegExp) => page.getByRole('option', { name });
const repos = () => hubStore.getState().repos;

/** The option that a screen reader says the keyboard is on. */
function activeText(): string | undefined {
  const id = field().element().getAttribute('aria-activedescendant');
  return id === null ? undefined : (document.getElementById(id)?.textContent ?? 'nothing');
}

describe('the field', () => {
  it('offers what matches, with what to know of it, and takes it by keyboard', async () => {
    await userEvent.click(field());
    await userEvent.keyboard('clip');
    await expect.element(list()).toBeVisible();
    await expect
      .element(option(/^me\/clip-a/))
      .toHaveTextContent(/^me\/clip-a1\.2M downloads340 likes$/);
    await expect.element(option(/clip-gated/)).toHaveTextContent(/safetensors.*gated/);
    await expect.element(option(/clip-lora/)).toHaveTextContent(/adapter/);
    await expect.element(page.getByText(/3 matching repos/)).toBeVisible();
    expect(activeText()).toBeUndefined();
    await userEvent.keyboard('{ArrowDown}{ArrowDown}');
    expect(activeText()).toMatch(/^me\/clip-gated/);
    await userEvent.keyboard('{ArrowUp}{ArrowUp}');
    expect(activeText()).toBeUndefined();
    await userEvent.keyboard('{ArrowUp}');
    expect(activeText()).toMatch(/^me\/clip-lora/);
    expect(document.activeElement).toBe(field().element());
    await userEvent.keyboard('{Enter}');
    expect(repos()).toEqual(['me/clip-lora']);
    await expect.element(field()).toHaveValue('');
    expect(list().elements()).toHaveLength(0);
    expect(document.activeElement).toBe(field().element());
  });

  it('takes what is pointed at, and keeps the names that stand before it', async () => {
    await userEvent.click(field());
    await userEvent.keyboard('me/base, clip');
    await userEvent.click(option(/clip-gated/));
    expect(repos()).toEqual(['me/clip-gated']);
    await expect.element(field()).toHaveValue('me/base, ');
    expect(document.activeElement).toBe(field().element());
    await userEvent.keyboard('{Enter}');
    expect(repos()).toEqual(['me/clip-gated', 'me/base']);
  });

  it('adds what was typed where nothing is chosen, as the button does', async () => {
    await userEvent.click(field());
    await userEvent.keyboard('me/clip');
    await expect.element(list()).toBeVisible();
    await userEvent.keyboard('{Escape}');
    expect(list().elements()).toHaveLength(0);
    await expect.element(field()).toHaveValue('me/clip');
    await userEvent.keyboard('{Enter}');
    expect(repos()).toEqual(['me/clip']);
    await userEvent.keyboard('clip');
    await expect.element(list()).toBeVisible();
    await userEvent.click(page.getByRole('button', { name: 'Add from Hub' }));
    expect(repos()).toEqual(['me/clip', 'clip']);
    await expect.poll(() => list().elements()).toHaveLength(0);
  });

  it('looks nothing up for names that came whole', async () => {
    await userEvent.fill(field(), 'me/base me/one');
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(asked).toEqual([]);
    await userEvent.click(page.getByRole('button', { name: 'Add from Hub' }));
    expect(repos()).toEqual(['me/base', 'me/one']);
    expect(asked).toEqual([]);
  });

  it('says in one line that nothing could be looked up, and works on', async () => {
    answer(() => null);
    await userEvent.click(field());
    await userEvent.keyboard('clip');
    await expect.element(page.getByText(/^No suggestions\. The list of matching/)).toBeVisible();
    expect(page.getByRole('alert').elements()).toHaveLength(0);
    await userEvent.keyboard('-b{Enter}');
    expect(repos()).toEqual(['clip-b']);
    await expect.poll(() => page.getByText(/^No suggestions/).elements()).toHaveLength(0);
  });
});

describe('the list of repos', () => {
  const item = () => page.getByRole('list', { name: 'Repos to open' }).getByRole('listitem');
  const toggle = () => page.getByRole('button', { name: 'Revision of me/clip' });
  const select = () => page.getByRole('combobox', { name: 'Branch, tag or pull request' });

  beforeEach(() => {
    hubStore.setState({ repos: ['me/clip', 'me/other/folder@v1'] });
  });

  it('shows the revision that each is read at, and asks for others when told to', async () => {
    await expect.element(item().nth(0)).toHaveTextContent(/^me\/clip@main/);
    await expect.element(item().nth(1)).toHaveTextContent(/^me\/other\/folder@v1/);
    expect(asked).toEqual([]);
    await userEvent.click(toggle());
    await expect.element(toggle()).toHaveAttribute('aria-expanded', 'true');
    await expect.element(select()).toHaveValue('main');
    expect(asked.every((url) => url.startsWith(`${HUB}/api/models/me/clip/`))).toBe(true);
    const options = [...select().element().querySelectorAll('option')];
    expect(options.map(({ value }) => value)).toEqual(['main', 'refs/pr/7', 'v1']);
    expect(options[1]?.textContent).toContain('safetensors by the Hub’s bot');
    await userEvent.selectOptions(select(), 'refs/pr/7');
    await expect.element(item().nth(0)).toHaveTextContent(/^me\/clip@refs\/pr\/7/);
    await expect.element(select()).toHaveValue('refs/pr/7');
    expect(repos()).toEqual(['me/clip@refs/pr/7', 'me/other/folder@v1']);
    await userEvent.selectOptions(select(), 'main');
    expect(repos()[0]).toBe('me/clip');
  });

  it('takes a commit, and says what is none', async () => {
    await userEvent.click(toggle());
    const commit = page.getByRole('textbox', { name: 'Commit' });
    await userEvent.fill(commit, 'not a commit');
    await userEvent.keyboard('{Enter}');
    await expect.element(page.getByText(/Paste a commit’s hash/)).toBeVisible();
    await userEvent.fill(commit, COMMIT);
    await userEvent.click(page.getByRole('button', { name: 'Use this commit' }));
    expect(repos()[0]).toBe(`me/clip@${COMMIT}`);
    await expect.element(select()).toHaveValue(COMMIT);
  });

  it('says why there are no revisions to choose from, beside the repo', async () => {
    answer(() => null);
    await userEvent.click(toggle());
    await expect.element(page.getByText(/me\/clip could not be fetched/)).toBeVisible();
    answer(HAPPY);
    await userEvent.click(page.getByRole('button', { name: 'Ask again' }));
    await expect.element(select()).toHaveValue('main');
  });
});

describe('signing in', () => {
  const button = (name: string) => page.getByRole('button', { name, exact: true });

  function setUpApp(): void {
    const meta = document.createElement('meta');
    meta.name = 'hub-client-id';
    meta.content = 'peru-test';
    document.head.append(meta);
    root.unmount();
    root = createRoot(document.body.firstElementChild!);
    root.render(createElement(HubPanel));
  }

  afterEach(() => {
    document.querySelector('meta[name="hub-client-id"]')?.remove();
    signOut();
  });

  /** The Hub of these tests; `says` is what its page sends the person back with. */
  function signInAs(says: Record<string, string>): { readonly opened: string[]; closed: boolean } {
    const seen = { opened: [] as string[], closed: false };
    answer(({ pathname }) => {
      if (pathname.endsWith('openid-configuration')) {
        const at = (name: string) => `${HUB}/oauth/${name}`;
        return {
          authorization_endpoint: at('authorize'),
          token_endpoint: at('token'),
          userinfo_endpoint: at('userinfo'),
        };
      }
      if (pathname === '/oauth/token') return { access_token: 'hf_oauth_x', expires_in: 3600 };
      return { preferred_username: 'ada' };
    });
    const replace = (url: string) => {
      seen.opened.push(url);
      const state = new URL(url).searchParams.get('state') ?? '';
      const channel = new BroadcastChannel('peru-sign-in');
      const query = `?${new URLSearchParams({ ...says, state }).toString()}`;
      if (Object.keys(says).length > 0) channel.postMessage({ kind: 'answer', query });
      channel.close();
    };
    const close = () => {
      seen.closed = true;
    };
    const fake = { location: { replace }, close, opener: window };
    vi.spyOn(window, 'open').mockReturnValue(fake as unknown as Window);
    return seen;
  }

  it('is not offered where no app is set up: tokens are', async () => {
    await expect.element(page.getByText(/access token/).first()).toBeVisible();
    expect(page.getByRole('button', { name: /^Sign in/ }).elements()).toHaveLength(0);
  });

  it('shows who is signed in, and forgets it on signing out', async () => {
    const seen = signInAs({ code: 'c' });
    setUpApp();
    await userEvent.click(button('Sign in with hub.example'));
    await expect.element(page.getByText(/^Signed in as ada/)).toBeVisible();
    expect(seen.opened[0]).toMatch(/^https:\/\/hub\.example\/oauth\/authorize\?/);
    expect(hubStore.getState().accessToken).toBe('hf_oauth_x');
    expect(document.documentElement.innerHTML).not.toContain('hf_oauth_x');
    for (const store of [localStorage, sessionStorage]) {
      expect(JSON.stringify(store)).not.toMatch(/hf_oauth_x|verifier/);
    }
    await userEvent.click(button('Sign out'));
    await expect.element(button('Sign in with hub.example')).toBeVisible();
    expect(hubStore.getState().accessToken).toBe('');
  });

  it('says that it was refused, and can be given up', async () => {
    signInAs({ error: 'access_denied' });
    setUpApp();
    await userEvent.click(button('Sign in with hub.example'));
    await expect.element(page.getByText(/^The sign-in was refused/)).toBeVisible();
    const seen = signInAs({});
    await userEvent.click(button('Sign in with hub.example'));
    await expect.element(page.getByText(/^Waiting for you/)).toBeVisible();
    await expect.poll(() => seen.opened).toHaveLength(1);
    await userEvent.click(button('Cancel sign-in'));
    await expect.element(button('Sign in with hub.example')).toBeVisible();
    expect(seen.closed).toBe(true);
  });
});

it('fits a phone', async () => {
  const { innerWidth, innerHeight } = window;
  await page.viewport(360, 740);
  hubStore.setState({ repos: ['me/a-name-that-is-long-enough-to-break-any-line_of_a_phone'] });
  await userEvent.click(page.getByRole('button', { name: /^Revision of/ }));
  await userEvent.click(field());
  await userEvent.keyboard('clip');
  await expect.element(list()).toBeVisible();
  expect(document.documentElement.scrollWidth).toBeLessThanOrEqual(360);
  await page.viewport(innerWidth, innerHeight);
});
