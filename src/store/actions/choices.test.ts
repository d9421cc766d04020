/** Another budget or other name patterns: planned anew, and a way out where that fails. */
import { beforeEach, describe, expect, it } from 'vitest';
import { type ErrorKind } from '@/core/errors';
import { type PlanChoices } from '@/plan/preflight';
import { type JobOutcome } from '@/protocol/events';
import { hubStore, INITIAL_HUB_STATE } from '@/store/state/hub';
import {
  groupOf,
  openToReport,
  preflightOf,
  type ScriptedWorker,
  scriptedWorker,
} from '@/store/state/scripted-worker';
import { INITIAL_SETTINGS, settingsStore } from '@/store/state/settings';
import { addFiles, chooseBase, openDemo } from './sources';
import { EMPTY_RESULTS, resultsStore } from '@/store/state/results';
import { selectHidesPatterns, selectShowsReport } from '@/store/sources/selectors';
import { startState } from '@/store/sources/start-state';
import { INITIAL_SOURCES, NO_PATTERNS, sourcesStore } from '@/store/state/sources';
import { startPage } from './start';
import { replan, resetJob, startLoading } from './job';
import { jobStore } from '@/store/state/job';

const DONE = { status: 'done' } as const;
const MEMORY = preflightOf(groupOf(['a'])).memory;

let worker: ScriptedWorker;

beforeEach(() => {
  resetJob();
  sourcesStore.setState(INITIAL_SOURCES, true);
  hubStore.setState(INITIAL_HUB_STATE, true);
  settingsStore.setState(INITIAL_SETTINGS, true);
  resultsStore.setState(EMPTY_RESULTS, true);
  worker = scriptedWorker();
  void startPage(worker, { search: '?base=o/base&task=o/one', replace: () => undefined });
});

const asked = () => worker.jobs.map((job) => job.asked).join(' ');
const weights = () => sourcesStore.getState().weights;
const status = () => jobStore.getState().job.status;
const choices = (change: Partial<PlanChoices> = {}) => ({
  budgetBytes: null,
  include: [],
  exclude: [],
  ...change,
});
const failed = (kind: ErrorKind) =>
  ({ status: 'failed', error: { kind, message: `It was ${kind}.`, hint: 'Try again.' } }) as const;

/** Presses Start and ends the loading. */
async function load(outcome: JobOutcome = DONE): Promise<void> {
  void startLoading();
  if (outcome.status === 'done') worker.last().emit({ type: 'group', group: groupOf(['a']) });
  await worker.last().end(outcome);
}

describe('other choices', () => {
  it('are planned anew in place, and Start takes what was planned last', async () => {
    await openToReport(worker);
    void replan({ exclude: ['*.bias'] });
    expect(worker.last().choices).toEqual(choices({ exclude: ['*.bias'] }));
    expect([status(), weights()]).toEqual(['working', 'waiting']);
    const preflight = { ...preflightOf(groupOf(['a'])), title: 'Planned anew' };
    worker.last().emit({ type: 'preflight', preflight });
    await worker.last().end(DONE);
    expect(sourcesStore.getState().preflight?.title).toBe('Planned anew');
    expect([status(), asked()]).toEqual(['waiting', 'open plan']);
    void replan({ budgetBytes: 2e9 });
    expect(worker.last().choices).toEqual(choices({ exclude: ['*.bias'], budgetBytes: 2e9 }));
    await worker.last().end(DONE);
    await load();
    expect(asked()).toBe('open plan plan load run');
  });

  it('that are the same as before ask for nothing', async () => {
    await openToReport(worker);
    void replan({ include: [], budgetBytes: null });
    expect(asked()).toBe('open');
  });

  it('that can not be planned leave the report, and others may be made', async () => {
    await openToReport(worker);
    void replan({ budgetBytes: 1 });
    await worker.last().end({
      status: 'failed',
      error: { kind: 'out-of-memory', message: 'Too little.', hint: 'More.' },
    });
    expect([status(), weights()]).toEqual(['failed', 'waiting']);
    expect(sourcesStore.getState().preflight).not.toBeNull();
    void replan({ budgetBytes: null });
    await worker.last().end(DONE);
    expect([status(), jobStore.getState().alert]).toEqual(['waiting', null]);
  });

  it('of tensors come with a link, and leave with another demo', () => {
    const link = '?base=o/base&task=o/one&exclude=*.bias&include=vision*';
    void startPage(worker, { search: link, replace: () => undefined });
    expect(worker.last().choices).toMatchObject(
      choices({ include: ['vision*'], exclude: ['*.bias'] }),
    );
    void startPage(worker, { search: '?demo=fft&exclude=*', replace: () => undefined });
    expect(worker.last().choices).toMatchObject(choices());
  });

  it('of a budget hold for the next source, of patterns for the same files only', async () => {
    await openToReport(worker);
    void replan({ budgetBytes: 3e9, include: ['vision*'] });
    chooseBase('o/one');
    expect(worker.last().choices).toMatchObject(
      choices({ budgetBytes: 3e9, include: ['vision*'] }),
    );
    addFiles([{ path: 'a', file: new File(['x'], 'a') }]);
    expect(worker.last().choices).toMatchObject(choices({ budgetBytes: 3e9 }));
    await openToReport(worker);
    void replan({ include: ['text*'] });
    addFiles([{ path: 'b', file: new File(['x'], 'b') }]);
    expect(worker.last().choices).toMatchObject({ include: ['text*'] });
    openDemo('fft');
    expect(worker.last().choices).toMatchObject({ include: [] });
  });

  it('made once the weights are loaded go back to the report, without the results', async () => {
    await openToReport(worker);
    await load();
    worker.last().emit({ type: 'memory', liveBytes: 1, peakBytes: 2 });
    const metric = 'accuracy' as const;
    const score = { method: 'merged', task: 'a', metric, value: 1, n: 1, total: 1 };
    worker.last().emit({ type: 'score', score });
    await worker.last().end(DONE);
    void replan({ exclude: ['head.*'] });
    expect(asked()).toBe('open load run plan');
    expect(worker.last().choices).toMatchObject({ exclude: ['head.*'] });
    expect(resultsStore.getState().scores).toEqual({});
    expect(jobStore.getState().memory).toBeNull();
    expect(sourcesStore.getState()).toMatchObject({ group: null, weights: 'waiting' });
    expect(sourcesStore.getState().start, 'another plan, another word').toBe('ask');
    await worker.last().end(DONE);
    expect(status()).toBe('waiting');
    await load();
    expect(asked()).toBe('open load run plan load run');
  });

  it('that can not be planned once the weights are loaded leave the report as a way out', async () => {
    addFiles([{ path: 'a', file: new File(['x'], 'a') }]);
    await openToReport(worker);
    await load();
    void replan({ exclude: ['*'] });
    await worker.last().end(failed('mismatch'));
    const sources = sourcesStore.getState();
    expect(sources).toMatchObject({ weights: 'waiting', patterns: { exclude: ['*'] } });
    expect([sources.preflight === null, selectShowsReport(sources)]).toEqual([false, true]);
    expect(startState(sources, jobStore.getState().job), 'a plan of before').toBe('unplanned');
    void replan({ exclude: [] });
    await worker.last().end(DONE);
    expect([status(), jobStore.getState().alert]).toEqual(['waiting', null]);
    expect(asked()).toBe('open open load run plan plan');
  });

  it('made once a worker with loaded weights is gone open the source again', async () => {
    await openToReport(worker);
    await load();
    await worker.last().end(failed('worker-stopped'));
    void replan({ exclude: ['a'] });
    expect(asked()).toBe('open load run open');
    expect(worker.last().choices).toMatchObject({ exclude: ['a'] });
  });

  it('that opening fails with can be cleared', async () => {
    void startPage(worker, { search: '?base=o/b&task=o/t&exclude=*', replace: () => undefined });
    expect(selectHidesPatterns(sourcesStore.getState()), 'not known yet').toBe(false);
    await worker.last().end(failed('mismatch'));
    expect(selectHidesPatterns(sourcesStore.getState())).toBe(true);
    void replan(NO_PATTERNS);
    expect(worker.last()).toMatchObject({ asked: 'open', choices: choices() });
    await openToReport(worker);
    expect([status(), selectHidesPatterns(sourcesStore.getState())]).toEqual(['waiting', false]);
  });

  it('of a budget too small even for streaming wait with the report, on the first open too', async () => {
    const small = { ...MEMORY, mode: 'streamed', leastBytes: 9e9, peakBytes: 9e9 } as const;
    for (const phase of ['opened', 'loaded']) {
      await openToReport(worker, { memory: small });
      const { job, alert } = jobStore.getState();
      expect(startState(sourcesStore.getState(), job), phase).toBe('too-small');
      expect(alert).toBeNull();
      void replan({ budgetBytes: phase === 'opened' ? 10e9 : null });
      await openToReport(worker);
      await load();
      await worker.last().end(DONE);
      void replan({ budgetBytes: 1e6 });
    }
    expect(asked()).toBe('open plan load run plan plan load run plan');
  });
});
