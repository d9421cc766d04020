import { beforeEach, describe, expect, it } from 'vitest';
import { groupOf, preflightOf } from '@/store/state/scripted-worker';
import { INITIAL_SETTINGS, settingsStore } from '@/store/state/settings';
import { INITIAL_SOURCES, type SourceRequest, sourcesStore } from '@/store/state/sources';
import { nextRate, type Progress } from '@/store/state/progress-rate';
import { rememberRate } from './rates';
import { jobStore } from '@/store/state/job';

const HUB: SourceRequest = { kind: 'hub', repos: ['o/base', 'o/one'] };
const FILES: SourceRequest = { kind: 'files', files: [] };

beforeEach(() => {
  settingsStore.setState(INITIAL_SETTINGS, true);
});

/** A load that has moved `done` bytes in `seconds`, of which a share came over the network. */
function loaded(
  request: SourceRequest,
  fetchedShare: number,
  done = 100e6,
  seconds = 4,
  unit: Progress['unit'] = 'bytes',
): void {
  const tally = { neededBytes: done, toFetchBytes: fetchedShare * done, keptBytes: 0 };
  sourcesStore.setState({
    ...INITIAL_SOURCES,
    request,
    preflight: { ...preflightOf(groupOf(['a'])), bytes: tally },
  });
  const at = (count: number) => ({ stage: 'Loading', done: count, total: done, unit });
  const pace = nextRate(nextRate(null, at(0), 0), at(done), 1000 * seconds);
  jobStore.setState({ job: { status: 'working', phase: 'load', pace } });
  rememberRate();
}

const rates = () => settingsStore.getState().rates;

describe('the speed of a load', () => {
  it('is kept for the network and for the disk, each by itself', () => {
    loaded(HUB, 1);
    expect(rates()).toEqual({ fetched: 25e6, loaded: null });
    loaded(FILES, 0, 100e6, 1);
    expect(rates()).toEqual({ fetched: 25e6, loaded: 100e6 });
    loaded(HUB, 0, 100e6, 2);
    expect(rates(), 'all of it kept from before').toEqual({ fetched: 25e6, loaded: 50e6 });
  });

  it.each([
    [
      'from both network and disk',
      () => {
        loaded(HUB, 0.5);
      },
    ],
    [
      'of few bytes',
      () => {
        loaded(HUB, 1, 1e6);
      },
    ],
    [
      'that took no time',
      () => {
        loaded(HUB, 1, 100e6, 0.5);
      },
    ],
    [
      'of a demo',
      () => {
        loaded({ kind: 'demo', demo: 'fft' }, 0);
      },
    ],
    [
      'not counted in bytes',
      () => {
        loaded(HUB, 1, 100e6, 4, 'images');
      },
    ],
  ] as const)('says nothing where it is one %s', (_, load) => {
    load();
    expect(rates()).toEqual({ fetched: null, loaded: null });
  });
});
