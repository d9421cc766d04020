import { beforeEach, describe, expect, it } from 'vitest';
import { PeruError } from '@/core/errors';
import { type Score } from '@/protocol/results';
import { commitRecipe, previewRecipe } from './recipe';
import { adoptLink } from '@/store/recipe/edits';
import { recipeStore } from '@/store/state/recipe';
import { resultsStore } from '@/store/state/results';
import {
  groupOf,
  openAndLoad,
  type ScriptedWorker,
  scriptedWorker,
} from '@/store/state/scripted-worker';
import { addFiles, allowNonFinite, chooseBase, openDemo, removeFileSet } from './sources';
import { INITIAL_SOURCES, sourcesStore } from '@/store/state/sources';
import { showResults } from './results';
import { startPage } from './start';
import { cancelJob, dismissAlert, raiseAlert, resetJob, retryJob } from './job';
import { jobStore } from '@/store/state/job';

const DONE = { status: 'done' } as const;
const BROKEN = {
  status: 'failed',
  error: { kind: 'parse', message: 'a.safetensors is cut off.', hint: 'Get it again.' },
} as const;
const LOST = {
  status: 'failed',
  error: { kind: 'device-lost', message: 'The GPU was lost.', hint: 'Try again.' },
} as const;

const score = (method: string, task: string, n = 200): { type: 'score'; score: Score } => ({
  type: 'score',
  score: { method, task, metric: 'accuracy', value: 0.5, n, total: 200 },
});
const ADAPTER = { vendor: '', architecture: '', description: '', fallback: true };
const local = (path: string) => ({ path, file: new File(['x'], path) });

let worker: ScriptedWorker;
let search: string;

beforeEach(() => {
  resetJob();
  sourcesStore.setState(INITIAL_SOURCES, true);
  worker = scriptedWorker();
  search = '';
});

/** Starts the page with a link and ends the opening of its source. */
async function open(link = ''): Promise<void> {
  search = link;
  void startPage(worker, {
    get search() {
      return search;
    },
    replace(next) {
      search = next;
    },
  });
  await openAndLoad(worker, groupOf(['a', 'b']));
}

describe('opening', () => {
  it('opens the demo by itself and runs the recipe of the link on it', async () => {
    await open('?merge=simple-average&m=3');
    expect(worker.jobs[0]?.request).toEqual({ kind: 'demo', demo: 'fft' });
    expect(worker.last().recipe).toMatchObject({ mergeMethod: 'simple-average', keptPercent: 3 });
    expect(worker.last().recipe?.lambda, 'recommended by the group').toBe(0.2);
    expect(Object.fromEntries(new URLSearchParams(search))).toEqual({
      demo: 'fft',
      merge: 'simple-average',
      lambda: '0.2',
      m: '3',
      scope: 'global',
    });
  });

  it('leaves the address alone until λ is the one of the group, so that a reload keeps it', async () => {
    const search = { text: '?m=3' };
    void startPage(worker, {
      get search() {
        return search.text;
      },
      replace(next) {
        search.text = next;
      },
    });
    worker.last().emit({ type: 'engine', engine: 'processor', adapter: ADAPTER, evaluator: '' });
    commitRecipe({ keptPercent: 4 });
    expect(search.text).toBe('?m=3');
    await openAndLoad(worker, groupOf(['a', 'b']));
    const query = new URLSearchParams(search.text);
    expect([query.get('lambda'), query.get('m')]).toEqual(['0.2', '4']);
  });

  it('raises an alert for a link it cannot open, opens the demo, and keeps the alert', async () => {
    await open('?base=o/b@1&task=o/x&hub=ftp://hub.example&m=3');
    expect(worker.jobs[0]?.request).toEqual({ kind: 'demo', demo: 'fft' });
    await worker.last().end(DONE);
    expect(jobStore.getState().job.status).toBe('done');
    expect(jobStore.getState().alert).toMatchObject({
      kind: 'unsupported',
      message: 'Peru can not open that link: hub=ftp://hub.example.',
    });
    dismissAlert();
    expect(jobStore.getState().alert).toBeNull();
  });

  it('is done only when the run is', async () => {
    await open();
    expect(jobStore.getState().job).toMatchObject({ status: 'working', phase: 'run' });
    await worker.last().end(DONE);
    expect(jobStore.getState().job.status).toBe('done');
  });

  it('runs nothing on weights that are not loaded, and the newest recipe once they are', async () => {
    void startPage(worker, { search: '', replace: () => undefined });
    commitRecipe({ keptPercent: 4 });
    expect(worker.jobs).toHaveLength(1);
    await openAndLoad(worker, groupOf(['a', 'b']));
    expect(worker.last().recipe?.keptPercent).toBe(4);
  });

  it('takes files together with those already open, and the demo when none is left', async () => {
    await open();
    addFiles([local('a')]);
    await worker.last().end(BROKEN);
    addFiles([local('b')]);
    expect(worker.last().request).toMatchObject({ files: [{ path: 'a' }, { path: 'b' }] });
    chooseBase('b');
    expect(worker.last().request).toMatchObject({ base: 'b' });
    removeFileSet('a');
    expect(worker.last().request).toMatchObject({ files: [{ path: 'b' }] });
    await openAndLoad(worker, groupOf(['b']));
    expect(new URLSearchParams(search).get('demo')).toBeNull();
    removeFileSet('b');
    expect(worker.last().request).toEqual({ kind: 'demo', demo: 'fft' });
  });

  it('keeps a chosen base while its file is in the list, whatever is added or removed', async () => {
    await open();
    addFiles([local('a'), local('b')]);
    chooseBase('b');
    addFiles([local('c')]);
    expect(worker.last().request).toMatchObject({ files: { length: 3 }, base: 'b' });
    removeFileSet('a');
    expect(worker.last().request).toMatchObject({ files: { length: 2 }, base: 'b' });
    removeFileSet('b');
    expect(worker.last().request).not.toHaveProperty('base');
    addFiles([local('b')]);
    expect(worker.last().request).not.toHaveProperty('base');
  });

  it('goes on with NaN inside when told to, and keeps the chosen base', async () => {
    await open();
    addFiles([local('a'), local('b')]);
    chooseBase('b');
    allowNonFinite();
    expect(worker.last().request).toMatchObject({ allowNonFinite: true, base: 'b' });
  });
});

describe('the slider', () => {
  it('asks for nothing while it moves and once when it is released', async () => {
    await open();
    await worker.last().end(DONE);
    const asked = worker.jobs.length;
    previewRecipe({ keptPercent: 7 });
    previewRecipe({ keptPercent: 6 });
    expect(worker.jobs).toHaveLength(asked);
    commitRecipe({ keptPercent: 6 });
    expect(worker.jobs).toHaveLength(asked + 1);
    commitRecipe({ keptPercent: 6 });
    expect(worker.jobs).toHaveLength(asked + 1);
  });

  it('lets the latest recipe win: what an older one still says is not heard', async () => {
    await open();
    const older = worker.last();
    commitRecipe({ keptPercent: 2 });
    older.emit(score('peru-fft@10', 'a'));
    await older.end(BROKEN);
    expect(resultsStore.getState().scores).toEqual({});
    expect(jobStore.getState().alert).toBeNull();
    expect(jobStore.getState().job.status).toBe('working');
  });

  it('keeps what stays true: another m drops nothing', async () => {
    await open();
    for (const method of ['pretrained', 'finetuned', 'merged', 'peru-fft@10', 'post-pruning@10']) {
      worker.last().emit(score(method, 'a'));
    }
    commitRecipe({ keptPercent: 5 });
    expect(Object.keys(resultsStore.getState().scores)).toHaveLength(5);
  });

  it('drops the merged model and PERU-FFT when the merge changes', async () => {
    await open();
    for (const method of ['pretrained', 'finetuned', 'merged', 'peru-fft@10', 'post-pruning@10']) {
      worker.last().emit(score(method, 'a'));
    }
    commitRecipe({ lambda: 0.5 });
    expect(Object.keys(resultsStore.getState().scores)).toEqual([
      'pretrained',
      'finetuned',
      'post-pruning@10',
    ]);
  });

  it('drops every sparse method when the scope changes', async () => {
    await open();
    for (const method of ['merged', 'peru-fft@10', 'post-pruning@10']) {
      worker.last().emit(score(method, 'a'));
    }
    commitRecipe({ scope: 'tensor' });
    expect(Object.keys(resultsStore.getState().scores)).toEqual(['merged']);
  });

  it('drops what another dtype makes untrue, and nothing else', async () => {
    await open();
    const methods = ['finetuned', 'merged', 'post-pruning@10', 'peru-fft@10'];
    const left = () => Object.keys(resultsStore.getState().scores);
    for (const method of methods) worker.last().emit(score(method, 'a'));
    commitRecipe({ valueDtype: 'I8' });
    expect(left()).toEqual(['finetuned', 'merged']);
    for (const method of methods) worker.last().emit(score(method, 'a'));
    commitRecipe({ mergedDtype: 'BF16' });
    expect(left()).toEqual(['finetuned', 'post-pruning@10']);
  });

  it('drops nothing when λ moves under a simple average, which does not use it', async () => {
    await open('?merge=simple-average');
    worker.last().emit(score('merged', 'a'));
    commitRecipe({ lambda: 0.9 });
    expect(Object.keys(resultsStore.getState().scores)).toEqual(['merged']);
  });
});

describe('scores', () => {
  it('grow and never shrink', async () => {
    await open();
    worker.last().emit(score('merged', 'a', 200));
    worker.last().emit(score('merged', 'a', 128));
    showResults();
    expect(resultsStore.getState().scores.merged?.a?.n).toBe(200);
  });
});

describe('cancelling', () => {
  it('shows at once, tells the worker, hears no more and keeps the results', async () => {
    await open();
    const cancelled = worker.last();
    cancelled.emit(score('merged', 'a'));
    cancelJob();
    expect(jobStore.getState().job).toEqual({ status: 'cancelled', phase: 'run' });
    expect(worker.cancelCount()).toBe(1);
    cancelled.emit(score('merged', 'b'));
    await cancelled.end({ status: 'cancelled' });
    expect(Object.keys(resultsStore.getState().scores.merged ?? {})).toEqual(['a']);
    cancelJob();
    expect(worker.cancelCount(), 'nothing left to cancel').toBe(1);
  });

  it('of an opening leaves nothing loaded: running again opens again', () => {
    void startPage(worker, { search: '', replace: () => undefined });
    cancelJob();
    commitRecipe({ keptPercent: 1 });
    expect(worker.jobs).toHaveLength(1);
    retryJob();
    expect(worker.last().request).toEqual({ kind: 'demo', demo: 'fft' });
  });
});

describe('failures', () => {
  it('show the first message until it is dismissed', async () => {
    await open();
    await worker.last().end(BROKEN);
    expect(jobStore.getState().job.status).toBe('failed');
    expect(jobStore.getState().alert).toEqual(BROKEN.error);
    commitRecipe({ keptPercent: 1 });
    await worker.last().end(LOST);
    expect(jobStore.getState().alert).toEqual(BROKEN.error);
    dismissAlert();
    expect(jobStore.getState().alert).toBeNull();
  });

  it('go when a later job ends well, or another source opens', async () => {
    await open();
    await worker.last().end(BROKEN);
    retryJob();
    expect(worker.last().recipe).not.toBeNull();
    await worker.last().end(BROKEN);
    commitRecipe({ keptPercent: 1 });
    await worker.last().end(DONE);
    expect(jobStore.getState().alert).toBeNull();
    await worker.last().end(BROKEN);
    openDemo('fft');
    expect(jobStore.getState().alert).toBeNull();
  });

  it.each(['device-lost', 'out-of-memory', 'worker-stopped'] as const)(
    'of kind %s load the weights again on retry, dismissed or not',
    async (kind) => {
      for (const dismissed of [false, true]) {
        await open();
        await worker.last().end({ ...LOST, error: { ...LOST.error, kind } });
        if (dismissed) dismissAlert();
        retryJob();
        expect(worker.last().request).toEqual({ kind: 'demo', demo: 'fft' });
      }
    },
  );

  it('that no job has met outlast the job, but hide none of its own', async () => {
    await open();
    raiseAlert(new PeruError('source', 'The drop could not be read.', 'Try the button.'));
    await worker.last().end(DONE);
    expect(jobStore.getState().alert?.message).toBe('The drop could not be read.');
    commitRecipe({ keptPercent: 1 });
    await worker.last().end(LOST);
    expect(jobStore.getState().alert).toEqual(LOST.error);
  });

  it('of the worker itself are shown too', async () => {
    const dead = { ...worker, open: () => Promise.reject(new Error('The worker stopped.')) };
    await startPage(dead, { search: '', replace: () => undefined });
    expect(jobStore.getState().alert?.message).toBe('The worker stopped.');
  });
});

it('the link follows the committed recipe, not every movement', async () => {
  await open('?m=10');
  previewRecipe({ keptPercent: 7 });
  expect(new URLSearchParams(search).get('m')).toBe('10');
  commitRecipe({ keptPercent: 7 });
  expect(new URLSearchParams(search).get('m')).toBe('7');
  adoptLink({});
  expect(recipeStore.getState().draft.keptPercent).toBe(10);
});
