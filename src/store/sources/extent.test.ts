/** How much of the ways to add sources stands on the page. */
import { beforeEach, describe, expect, it } from 'vitest';
import { addRepos, openRepos } from '@/store/actions/hub';
import { hubStore, INITIAL_HUB_STATE } from '@/store/state/hub';
import { cancelJob, resetJob } from '@/store/actions/job';
import {
  groupOf,
  openAndLoad,
  openToReport,
  type ScriptedWorker,
  scriptedWorker,
} from '@/store/state/scripted-worker';
import { startPage } from '@/store/actions/start';
import { addFiles, changeSources, closeSources, removeFileSet } from '@/store/actions/sources';
import { selectSourcesExtent } from './selectors';
import { INITIAL_SOURCES, sourcesStore } from '@/store/state/sources';

const FAILED = {
  status: 'failed',
  error: { kind: 'parse', message: 'It is cut off.', hint: 'Get it again.' },
} as const;

let worker: ScriptedWorker;

beforeEach(() => {
  resetJob();
  sourcesStore.setState(INITIAL_SOURCES, true);
  hubStore.setState(INITIAL_HUB_STATE, true);
  worker = scriptedWorker();
  void startPage(worker, { search: '', replace: () => undefined });
});

const extent = () => selectSourcesExtent(sourcesStore.getState());
const drop = (...paths: string[]): void => {
  addFiles(paths.map((path) => ({ path, file: new File([path], path) })));
};

describe('the sources', () => {
  it('are short beside a demo, which somebody’s own may follow, and whole on request', async () => {
    expect(extent()).toBe('short');
    await openAndLoad(worker, groupOf(['a']));
    expect(extent()).toBe('short');
    changeSources(true);
    expect(extent()).toBe('whole');
  });

  it('are a line from the moment that files are opened', async () => {
    changeSources(true);
    drop('base.safetensors', 'a.safetensors');
    expect(extent()).toBe('line');
    await openToReport(worker);
    expect(extent()).toBe('line');
  });

  it('are whole where nothing opened, or its opening was cancelled', async () => {
    drop('base.safetensors');
    await worker.last().end(FAILED);
    expect(extent()).toBe('whole');
    drop('a.safetensors');
    expect(extent()).toBe('line');
    cancelJob();
    expect(extent()).toBe('whole');
  });

  it('stay unfolded while files are taken away and added, and fold when repos are opened', async () => {
    drop('base.safetensors', 'a.safetensors', 'b.safetensors');
    await openAndLoad(worker, groupOf(['a', 'b']));
    changeSources(true);
    removeFileSet('b.safetensors');
    await openAndLoad(worker, groupOf(['a']));
    expect(extent()).toBe('whole');
    addRepos('o/base o/one');
    openRepos();
    expect(extent()).toBe('line');
  });

  it('close to the demo, with no repo left on the list', () => {
    addRepos('o/base o/one');
    openRepos();
    closeSources();
    expect(worker.last().request).toEqual({ kind: 'demo', demo: 'fft' });
    expect(hubStore.getState().repos).toEqual([]);
    expect(extent()).toBe('short');
  });
});
