/** From the report to the numbers: Start, other choices, and ways back from every stage. */
import { beforeEach, describe, expect, it } from 'vitest';
import { type JobOutcome, type PlanChoices } from '@/worker/protocol';
import { addRepos, openRepos, setAccessToken } from '@/store/hub/actions';
import { hubStore, INITIAL_HUB_STATE } from '@/store/hub/state';
import {
  groupOf,
  openAndLoad,
  openToReport,
  preflightOf,
  type ScriptedWorker,
  scriptedWorker,
} from '@/store/scripted-worker';
import { INITIAL_SETTINGS, settingsStore } from '@/store/settings/state';
import { addFiles, allowNonFinite, chooseBase, openDemo } from '@/store/sources/actions';
import { selectExpectsNumbers } from '@/store/sources/selectors';
import { INITIAL_SOURCES, sourcesStore } from '@/store/sources/state';
import { startPage } from '@/store/start';
import { cancelJob, openSource, replan, resetJob, retryJob, startLoading } from './actions';
import { jobStore } from './state';

const DONE = { status: 'done' } as const;
const MEMORY = preflightOf(groupOf(['a'])).memory;

let worker: ScriptedWorker;

beforeEach(() => {
  resetJob();
  sourcesStore.setState(INITIAL_SOURCES, true);
  hubStore.setState(INITIAL_HUB_STATE, true);
  settingsStore.setState(INITIAL_SETTINGS, true);
  worker = scriptedWorker();
  void startPage(worker, { search: '?base=o/base&task=o/one', replace: () => undefined });
});

const asked = () => worker.jobs.map((job) => job.asked).join(' ');
const weights = () => sourcesStore.getState().weights;
const status = () => jobStore.getState().job.status;
const expectsNumbers = () => selectExpectsNumbers(sourcesStore.getState());
const choices = (change: Partial<PlanChoices> = {}) => ({
  budgetBytes: null,
  include: [],
  exclude: [],
  ...change,
});
const failed = (kind: 'device-lost' | 'worker-stopped' | 'source' | 'non-finite') =>
  ({ status: 'failed', error: { kind, message: `It was ${kind}.`, hint: 'Try again.' } }) as const;

/** Presses Start and ends the loading. */
async function load(outcome: JobOutcome = DONE): Promise<void> {
  void startLoading();
  if (outcome.status === 'done') worker.last().emit({ type: 'group', group: groupOf(['a']) });
  await worker.last().end(outcome);
}

describe('Start', () => {
  it('is waited for: a link to repos opens to its report, and nothing else is asked', async () => {
    expect(weights()).toBe('checking');
    expect(expectsNumbers()).toBe(false);
    await openToReport(worker);
    expect([asked(), weights(), status()]).toEqual(['open', 'waiting', 'waiting']);
    expect(expectsNumbers()).toBe(false);
    void startLoading();
    expect(expectsNumbers(), 'which ones is known with the group').toBe(false);
    worker.last().emit({ type: 'group', group: groupOf(['a']) });
    expect(expectsNumbers()).toBe(true);
    await worker.last().end(DONE);
    expect([asked(), weights(), status()]).toEqual(['open load run', 'loaded', 'working']);
    expect(expectsNumbers()).toBe(true);
  });

  it('is not needed by what starts by itself, which is never seen to wait', async () => {
    const seen = new Set<string>();
    const stop = jobStore.subscribe(({ job }) => seen.add(job.status));
    openDemo('fft');
    await openAndLoad(worker, groupOf(['a']));
    stop();
    expect(asked()).toBe('open open load run');
    expect([...seen]).toEqual(['working']);
  });

  it('does nothing where the budget is too small even for streaming', async () => {
    const memory = { ...MEMORY, mode: 'streamed', leastBytes: 9e9, peakBytes: 9e9 } as const;
    await openToReport(worker, { memory, startsByItself: true });
    expect(weights(), 'not even by itself').toBe('waiting');
    void startLoading();
    expect(asked()).toBe('open');
  });

  it('does nothing while something else is under way', async () => {
    await openToReport(worker);
    await load();
    void startLoading();
    expect(asked()).toBe('open load run');
  });
});

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
    expect(worker.last().choices).toEqual(choices({ include: ['vision*'], exclude: ['*.bias'] }));
    void startPage(worker, { search: '?demo=fft&exclude=*', replace: () => undefined });
    expect(worker.last().choices).toEqual(choices());
  });

  it('of a budget hold for the next source, of patterns for the same files only', async () => {
    await openToReport(worker);
    void replan({ budgetBytes: 3e9, include: ['vision*'] });
    chooseBase('o/one');
    expect(worker.last().choices).toEqual(choices({ budgetBytes: 3e9, include: ['vision*'] }));
    addFiles([{ path: 'a', file: new File(['x'], 'a') }]);
    expect(worker.last().choices).toEqual(choices({ budgetBytes: 3e9 }));
    await openToReport(worker);
    void replan({ include: ['text*'] });
    addFiles([{ path: 'b', file: new File(['x'], 'b') }]);
    expect(worker.last().choices).toMatchObject({ include: ['text*'] });
    openDemo('fft');
    expect(worker.last().choices).toMatchObject({ include: [] });
  });

  it('made once the weights are loaded open the source again', async () => {
    await openToReport(worker);
    await load();
    void replan({ exclude: ['head.*'] });
    expect(asked()).toBe('open load run open');
    expect(worker.last().choices).toMatchObject({ exclude: ['head.*'] });
    expect(sourcesStore.getState().start, 'another plan, another word').toBe('ask');
  });
});

describe('cancelling', () => {
  it('while headers are read leaves nothing, and a retry still asks', async () => {
    cancelJob();
    expect([weights(), sourcesStore.getState().preflight]).toEqual(['absent', null]);
    retryJob();
    await openToReport(worker);
    expect([asked(), status()]).toEqual(['open open', 'waiting']);
  });

  it('while planning opens again on retry, to a report', async () => {
    await openToReport(worker);
    void replan({ exclude: ['a'] });
    cancelJob();
    expect([weights(), jobStore.getState().job]).toEqual([
      'absent',
      { status: 'cancelled', phase: 'plan' },
    ]);
    retryJob();
    expect(worker.last()).toMatchObject({ asked: 'open', choices: { exclude: ['a'] } });
    await openToReport(worker);
    expect(status()).toBe('waiting');
  });

  it('while loading leaves the report; Start opens again and does not ask twice', async () => {
    await openToReport(worker);
    void startLoading();
    const loading = worker.last();
    cancelJob();
    loading.emit({ type: 'group', group: groupOf(['late']) });
    await loading.end({ status: 'cancelled' });
    expect(sourcesStore.getState()).toMatchObject({ weights: 'absent', group: null });
    expect(sourcesStore.getState().preflight).not.toBeNull();
    expect(expectsNumbers()).toBe(false);
    void startLoading();
    await openToReport(worker);
    expect(asked()).toBe('open load open load');
    expect(worker.cancelCount()).toBe(1);
  });
});

describe('failures', () => {
  it.each(['device-lost', 'worker-stopped', 'source'] as const)(
    'of kind %s while loading open again and load, without asking twice',
    async (kind) => {
      await openToReport(worker);
      await load(failed(kind));
      expect(status()).toBe('failed');
      retryJob();
      expect(jobStore.getState().alert).toBeNull();
      await openToReport(worker);
      expect(asked()).toBe('open load open load');
    },
  );

  it('of a source while opening open again, as often as needed, and then ask', async () => {
    for (let time = 0; time < 2; time++) {
      await worker.last().end(failed('source'));
      retryJob();
    }
    await openToReport(worker);
    expect([asked(), status()]).toEqual(['open open open', 'waiting']);
  });

  it('of a source while opening again do not forget that Start was pressed', async () => {
    await openToReport(worker);
    await load(failed('device-lost'));
    retryJob();
    await worker.last().end(failed('source'));
    retryJob();
    await openToReport(worker);
    expect(asked()).toBe('open load open open load');
  });

  it('ask again where the list of repos is another by then', async () => {
    await openToReport(worker);
    await load(failed('source'));
    addRepos('o/two');
    retryJob();
    await openToReport(worker);
    expect([asked(), status()]).toEqual(['open load open', 'waiting']);
  });

  it('send the token of now when they open again', async () => {
    await openToReport(worker);
    await load(failed('source'));
    setAccessToken('hf_new');
    retryJob();
    expect(worker.last().request).toMatchObject({ accessToken: 'hf_new' });
  });

  it('of a run by a lost device load again without a word', async () => {
    await openToReport(worker);
    await load();
    await worker.last().end(failed('device-lost'));
    retryJob();
    await openToReport(worker);
    expect(asked()).toBe('open load run open load');
  });

  it('for NaN inside go on once agreed to, with the same patterns and without asking', async () => {
    addRepos('o/base o/one');
    openRepos();
    await openToReport(worker);
    void replan({ exclude: ['a'] });
    await worker.last().end(DONE);
    await load(failed('non-finite'));
    allowNonFinite();
    expect(worker.last()).toMatchObject({
      request: { allowNonFinite: true },
      choices: { exclude: ['a'] },
    });
    await openToReport(worker);
    expect(worker.last().asked).toBe('load');
  });

  it('of a plan are planned again on retry, and the report waits again', async () => {
    await openToReport(worker);
    void replan({ exclude: ['a'] });
    await worker.last().end(failed('source'));
    retryJob();
    expect(worker.last()).toMatchObject({ asked: 'plan', choices: { exclude: ['a'] } });
    await worker.last().end(DONE);
    expect([asked(), status()]).toEqual(['open plan plan', 'waiting']);
  });

  it('of a worker that is gone while the report waits open again to a report', async () => {
    await openToReport(worker);
    void replan({ exclude: ['a'] });
    await worker.last().end(failed('worker-stopped'));
    expect(weights()).toBe('absent');
    retryJob();
    await openToReport(worker);
    expect([asked(), status()]).toEqual(['open plan open', 'waiting']);
  });
});

describe('the latest wins', () => {
  it('over a report that is still on its way', async () => {
    const older = worker.last();
    void openSource({ kind: 'demo', demo: 'lora' });
    older.emit({ type: 'preflight', preflight: preflightOf(groupOf(['old'])) });
    await older.end(DONE);
    expect(sourcesStore.getState()).toMatchObject({ preflight: null, weights: 'checking' });
    expect(asked()).toBe('open open');
  });
});
