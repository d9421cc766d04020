import { beforeEach, describe, expect, it } from 'vitest';
import { jobStore } from '@/store/state/job';
import { resetJob, retryJob } from './job';
import {
  groupOf,
  openAndLoad,
  type ScriptedWorker,
  scriptedWorker,
} from '@/store/state/scripted-worker';
import { allowNonFinite, chooseBase } from './sources';
import { INITIAL_SOURCES, sourcesStore } from '@/store/state/sources';
import { startPage } from './start';
import { addRepos, chooseRepo, openRepos, removeRepo, setAccessToken, setHub } from './hub';
import { hubStore, INITIAL_HUB_STATE } from '@/store/state/hub';

const HUB = 'http://127.0.0.1:8080';
const TOKEN = 'hf_secretsecret';

const failed = (choices: { id: string; name: string; replaces?: string }[] = []) => ({
  status: 'failed' as const,
  error: { kind: 'choose-repo' as const, message: 'Only pickles.', hint: 'Choose.', choices },
});

let worker: ScriptedWorker;
let search: string;

/** Starts the page with a link. */
function start(link = ''): void {
  search = link;
  void startPage(worker, {
    get search() {
      return search;
    },
    replace(next) {
      search = next;
    },
  });
}

beforeEach(() => {
  resetJob();
  sourcesStore.setState(INITIAL_SOURCES, true);
  hubStore.setState(INITIAL_HUB_STATE, true);
  worker = scriptedWorker();
});

describe('the list of repos', () => {
  it('asks for nothing until it is opened', () => {
    start();
    const asked = worker.jobs.length;
    openRepos();
    addRepos('o/base\no/one o/two');
    removeRepo('o/two');
    expect(worker.jobs).toHaveLength(asked);
    openRepos();
    expect(worker.last().request).toEqual({ kind: 'hub', repos: ['o/base', 'o/one'] });
  });

  it('is what a retry opens when nothing was opened, as it stands by then', async () => {
    start();
    addRepos('o/base o/onee');
    openRepos();
    await worker.last().end(failed());
    removeRepo('o/onee');
    addRepos('o/one');
    setAccessToken(TOKEN);
    retryJob();
    expect(worker.last().request).toMatchObject({
      repos: ['o/base', 'o/one'],
      accessToken: TOKEN,
    });
  });

  it('is opened again as agreed: NaN may be inside the same repos, not inside others', async () => {
    start();
    addRepos('o/base o/one');
    openRepos();
    allowNonFinite();
    await worker.last().end(failed());
    retryJob();
    expect(worker.last().request).toMatchObject({ allowNonFinite: true });
    await worker.last().end(failed());
    addRepos('o/two');
    retryJob();
    expect(worker.last().request).toEqual({ kind: 'hub', repos: ['o/base', 'o/one', 'o/two'] });
  });

  it('is left alone by a retry on what is open', async () => {
    start();
    addRepos('o/base o/one');
    openRepos();
    await openAndLoad(worker, groupOf(['a']));
    const error = { kind: 'device-lost', message: 'Lost.', hint: 'Again.' } as const;
    await worker.last().end({ status: 'failed', error });
    addRepos('o/other');
    retryJob();
    expect(worker.last().request).toEqual({ kind: 'hub', repos: ['o/base', 'o/one'] });
  });

  it('keeps the chosen base, goes on with NaN inside, and takes what stands in for a repo', async () => {
    start();
    addRepos('o/base o/one');
    openRepos();
    chooseBase('o/base@1');
    expect(worker.last().request).toMatchObject({ repos: ['o/base', 'o/one'], base: 'o/base@1' });
    allowNonFinite();
    expect(worker.last().request).toMatchObject({ base: 'o/base@1', allowNonFinite: true });
    addRepos('o/two');
    openRepos();
    expect(worker.last().request).toMatchObject({ repos: { length: 3 }, base: 'o/base@1' });
    expect(worker.last().request).not.toHaveProperty('allowNonFinite');
    const choice = { id: 'o/one@refs/pr/7', name: 'o/one@refs/pr/7', replaces: 'o/one' };
    await worker.last().end(failed([choice]));
    expect(jobStore.getState().alert?.choices).toEqual([choice]);
    chooseRepo(choice);
    expect(worker.last().request).toMatchObject({
      repos: ['o/base', 'o/one@refs/pr/7', 'o/two'],
      base: 'o/base@1',
    });
    expect(jobStore.getState().alert).toBeNull();
  });

  it('takes what stands in for the base as the base', async () => {
    start(`?base=o/base&task=o/one`);
    await worker.last().end(failed());
    chooseRepo({ id: 'o/base@refs/pr/7', name: 'o/base@refs/pr/7', replaces: 'o/base' });
    expect(worker.last().request).toMatchObject({
      repos: ['o/base@refs/pr/7', 'o/one'],
      base: 'o/base@refs/pr/7',
    });
  });
});

describe('the access token', () => {
  it('goes to the worker and nowhere else', async () => {
    start();
    setAccessToken(`\u200b ${TOKEN}\n`);
    addRepos('o/base o/one');
    openRepos();
    expect(worker.last().request).toMatchObject({ accessToken: TOKEN });
    expect(sourcesStore.getState().request).not.toHaveProperty('accessToken');
    await openAndLoad(worker, groupOf(['a']));
    expect(search).toMatch(/^\?base=base&task=a&/);
    expect(search).not.toContain(TOKEN);
  });

  it('is not taken along to another Hub', () => {
    start(`?hub=${HUB}`);
    setAccessToken(TOKEN);
    addRepos('o/base o/one');
    openRepos();
    expect(worker.last().request).toMatchObject({ hubUrl: HUB, accessToken: TOKEN });
    setHub(null);
    expect(hubStore.getState().accessToken).toBe('');
    setAccessToken('hf_other');
    chooseBase('o/one@1');
    expect(worker.last().request).toMatchObject({ hubUrl: HUB });
    expect(worker.last().request).not.toHaveProperty('accessToken');
    openRepos();
    expect(worker.last().request).toMatchObject({ accessToken: 'hf_other' });
    expect(worker.last().request).not.toHaveProperty('hubUrl');
  });

  it('is not sent to a Hub that a link names', () => {
    start();
    setAccessToken(TOKEN);
    start(`?base=o/base&task=o/one&hub=${HUB}`);
    expect(worker.last().request).not.toHaveProperty('accessToken');
  });
});

describe('a link to repos', () => {
  it('opens them from its Hub, the base first, and lists them', () => {
    start(`?base=o/base@refs/pr/7&task=o/one&task=o/two@v1&hub=${HUB}&lambda=0.7`);
    expect(worker.jobs).toHaveLength(1);
    expect(worker.last().request).toEqual({
      kind: 'hub',
      repos: ['o/base@refs/pr/7', 'o/one', 'o/two@v1'],
      hubUrl: HUB,
      base: 'o/base@refs/pr/7',
    });
    expect(hubStore.getState().repos).toHaveLength(3);
    expect(jobStore.getState().alert).toBeNull();
  });

  it('asks no other Hub than its own', () => {
    start('?base=o/base&task=o/one&hub=ftp://hub.example');
    expect(worker.last().request).toEqual({ kind: 'demo', demo: 'fft' });
    expect(jobStore.getState().alert?.message).toContain('hub=ftp://hub.example');
  });
});
