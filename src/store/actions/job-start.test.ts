/** From the report to the numbers: Start, and ways back from every stage. */
import { beforeEach, describe, expect, it } from 'vitest';
import { type ErrorKind } from '@/core/errors';
import { type JobOutcome } from '@/protocol/events';
import { addRepos, openRepos, setAccessToken } from './hub';
import { hubStore, INITIAL_HUB_STATE } from '@/store/state/hub';
import {
  groupOf,
  openAndLoad,
  openToReport,
  preflightOf,
  type ScriptedWorker,
  scriptedWorker,
} from '@/store/state/scripted-worker';
import { INITIAL_SETTINGS, settingsStore } from '@/store/state/settings';
import { allowNonFinite, openDemo } from './sources';
import { selectExpectsNumbers } from '@/store/sources/selectors';
import { INITIAL_SOURCES, sourcesStore } from '@/store/state/sources';
import { startPage } from './start';
import { cancelJob, openSource, replan, resetJob, retryJob, startLoading } from './job';
import { selectCanRetry } from '@/store/job/selectors';
import { jobStore } from '@/store/state/job';

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
const failed = (kind: ErrorKind) =>
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

describe('doing it again', () => {
  it.each([
    ['open', 'out-of-memory', false],
    ['open', 'source', true],
    ['load', 'out-of-memory', true],
  ] as const)('after %s failed by %s: %s', async (phase, kind, isOffered) => {
    if (phase === 'load') {
      await openToReport(worker);
      void startLoading();
    }
    await worker.last().end(failed(kind));
    expect(selectCanRetry(jobStore.getState())).toBe(isOffered);
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
