/** Searching and choosing revisions, against a fixture Hub. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { resetJob } from './job';
import { scriptedWorker } from '@/store/state/scripted-worker';
import { INITIAL_SOURCES, sourcesStore } from '@/store/state/sources';
import { connect } from '@/store/state/worker-handle';
import { memoryFiles, repoOf } from '../../../e2e/fixture-hub/content';
import { type FixtureHub, startFixtureHub } from '../../../e2e/fixture-hub/start-fixture-hub';
import { addRepos, openRepos, setAccessToken, setHub } from './hub';
import { askRevisions, chooseRevision, commitRead, revisionStore } from './revisions';
import { hubStore, INITIAL_HUB_STATE } from '@/store/state/hub';
import { dropSuggestions, selectFindNote, selectFound, suggestionStore } from './suggestions';
import { suggestRepos } from './suggestions';
import { cameWhole, wordToFind } from '@/store/hub/words';

const TOKEN = 'hf_secretsecret';

let hub: FixtureHub;

beforeAll(async () => {
  const files = memoryFiles({ 'config.json': '{}' });
  const model = repoOf('me/clip-a', files, { versions: ['v1'], downloads: 3 });
  model.revisions.set('v1', files);
  model.revisions.set('refs/pr/4', files);
  hub = await startFixtureHub({
    repos: [
      model,
      repoOf('me/clip-b', files),
      repoOf('me/clip-hidden', files, { private: true }),
      repoOf('me/bert', files),
    ],
    tokens: { [TOKEN]: ['me/clip-hidden'] },
  });
});

beforeEach(() => {
  resetJob();
  sourcesStore.setState(INITIAL_SOURCES, true);
  hubStore.setState({ ...INITIAL_HUB_STATE, hubUrl: hub.hubUrl }, true);
  hub.clearLog();
});

afterEach(() => {
  hub.clearFaults();
  dropSuggestions();
});

afterAll(() => hub.close());

const found = () => selectFound(suggestionStore.getState()).map(({ repo }) => repo);
const note = () => selectFindNote(suggestionStore.getState());

describe('what is looked for', () => {
  it('is the last word, where it is a part of a name', () => {
    for (const [text, word] of [
      ['clip', 'clip'],
      ['me/clip-a, you/be', 'you/be'],
      ['me/', 'me/'],
      ['c', null],
      ['clip ', null],
      ['clip-a@main', null],
      ['https://huggingface.co/me', null],
      ['me/clip/folder', null],
    ] as const) {
      expect(wordToFind(text), text).toBe(word);
    }
  });

  it('is nothing where a name came whole', () => {
    expect(cameWhole('', 'me/clip-a')).toBe(true);
    expect(cameWhole('me/b ', 'me/b me/clip-a')).toBe(true);
    expect(cameWhole('me/cli', 'me/clip')).toBe(false);
    // A word from a keyboard that completes words, and what is left when some is deleted.
    expect(cameWhole('', 'clip')).toBe(false);
    expect(cameWhole('me/clip-a', 'me/c')).toBe(false);
  });
});

describe('suggestions', () => {
  it('come once for what was typed last', async () => {
    for (const text of ['cl', 'cli', 'clip']) suggestRepos(text);
    await expect.poll(found).toEqual(['me/clip-a', 'me/clip-b']);
    expect(hub.requests).toHaveLength(1);
    expect(note()).toMatch(/^2 matching repos/);
    suggestRepos('clip');
    suggestRepos('c');
    expect(found()).toEqual([]);
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(hub.requests).toHaveLength(1);
  });

  it('are those of the one who asks', async () => {
    setAccessToken(TOKEN);
    suggestRepos('clip-h');
    await expect.poll(found).toEqual(['me/clip-hidden']);
  });

  it('that do not come are a note, and nothing else', async () => {
    hub.fault({ kind: 'status', status: 429, retryAfter: 600, path: /models\?/ });
    suggestRepos('clip');
    await expect.poll(note).toMatch(/^No suggestions\. .*too many requests/);
    suggestRepos('nothing-like-it');
    await expect.poll(note).toContain('No repo’s name holds “nothing-like-it”');
    dropSuggestions();
    expect(note()).toBe('');
  });
});

describe('revisions', () => {
  const listOf = (repo: string) => revisionStore.getState()[repo];

  it('are asked for when they are wanted, and once', async () => {
    addRepos('me/clip-a');
    expect(hub.requests).toEqual([]);
    await askRevisions('me/clip-a');
    const asked = hub.requests.length;
    await askRevisions('me/clip-a');
    expect(hub.requests).toHaveLength(asked);
    expect(listOf('me/clip-a')).toMatchObject({
      status: 'listed',
      revisions: [{ revision: 'main' }, { revision: 'v1' }, { revision: 'refs/pr/4' }],
    });
  });

  it('that can not be listed say why, and are asked for again by who may see more', async () => {
    await askRevisions('me/clip-hidden');
    expect(listOf('me/clip-hidden')).toMatchObject({ status: 'failed' });
    setAccessToken(TOKEN);
    expect(listOf('me/clip-hidden')).toBeUndefined();
    await askRevisions('me/clip-hidden');
    expect(listOf('me/clip-hidden')).toMatchObject({ status: 'listed' });
    setHub(null);
    expect(revisionStore.getState()).toEqual({});
  });

  it('take the place of the one before, wherever the repo was named', () => {
    addRepos(`me/clip-a/folder@v1 ${hub.hubUrl}/me/clip-b/tree/main`);
    expect(chooseRevision('me/clip-a/folder@v1', 'refs/pr/4')).toBe('me/clip-a/folder@refs/pr/4');
    expect(chooseRevision('me/clip-a/folder@refs/pr/4', 'main')).toBe('me/clip-a/folder');
    const commit = 'ab'.repeat(20);
    chooseRevision(`${hub.hubUrl}/me/clip-b/tree/main`, commit);
    expect(hubStore.getState().repos).toEqual(['me/clip-a/folder', `me/clip-b@${commit}`]);
    expect(chooseRevision('me/clip-a/folder', 'a b')).toBeNull();
    expect(hubStore.getState().repos[0]).toBe('me/clip-a/folder');
  });

  it('of the base keep it the base', () => {
    const worker = scriptedWorker();
    connect(worker);
    addRepos('me/clip-a me/clip-b');
    sourcesStore.setState({
      request: { kind: 'hub', repos: ['me/clip-a', 'me/clip-b'], base: 'me/clip-a@0123abc' },
    });
    chooseRevision('me/clip-a', 'v1');
    openRepos();
    expect(worker.last().request).toMatchObject({
      repos: ['me/clip-a@v1', 'me/clip-b'],
      base: 'me/clip-a@v1',
    });
  });

  it('are known by their commit once they were opened', () => {
    const ids = ['me/clip@1234', 'me/clip-a/sub/model-b.safetensors@5678', 'me/clip-a@abcd'];
    expect(commitRead('me/clip', ids)).toBe('1234');
    expect(commitRead('me/clip-a/sub', ids)).toBe('5678');
    expect(commitRead('me/other', ids)).toBeNull();
    expect(commitRead('me/cli', ids)).toBeNull();
  });
});
