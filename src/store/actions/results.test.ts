import { beforeEach, describe, expect, it, vi } from 'vitest';
import { DEFAULT_RECIPE } from '@/store/state/recipe';
import { resultsStore } from '@/store/state/results';
import { dropStale, handleResult, resetResults, showResults } from './results';

const METHODS = ['pretrained', 'merged', 'post-pruning@1', 'post-pruning@10', 'peru-fft@10'];

beforeEach(() => {
  resetResults();
  dropStale(DEFAULT_RECIPE);
  for (const method of METHODS) {
    const score = { method, task: 'a', metric: 'accuracy', value: 0.5, n: 4, total: 4 } as const;
    handleResult({ type: 'score', score });
  }
  handleResult({
    type: 'storage',
    rows: METHODS.map((method) => ({ method, files: [], bytes: 1 })),
  });
});

const scored = () => Object.keys(resultsStore.getState().scores);
const stored = () => Object.keys(resultsStore.getState().storage);

describe('dropStale', () => {
  it('keeps all that the recipe leaves as it was', () => {
    dropStale({ ...DEFAULT_RECIPE, keptPercent: 3 });
    expect(scored()).toEqual(METHODS);
    expect(stored()).toEqual(METHODS);
  });

  it('drops a compressor that the recipe leaves out, at every m', () => {
    dropStale({ ...DEFAULT_RECIPE, compressors: ['peru-fft'] });
    expect(scored()).toEqual(['pretrained', 'merged', 'peru-fft@10']);
    expect(stored()).toEqual(['pretrained', 'merged', 'peru-fft@10']);
  });

  it('drops what another merge changes, and no more', () => {
    dropStale({ ...DEFAULT_RECIPE, lambda: 0.7 });
    expect(scored()).toEqual(['pretrained', 'post-pruning@1', 'post-pruning@10']);
  });
});

describe('results that come in a burst', () => {
  const emit = (task: string) => {
    const score = { method: 'merged', task, metric: 'accuracy', value: 1, n: 1, total: 1 } as const;
    handleResult({ type: 'score', score });
  };

  it('are shown together, by themselves, soon after the first', () => {
    showResults();
    vi.useFakeTimers();
    const shown = vi.fn();
    const stop = resultsStore.subscribe(shown);
    try {
      for (const task of ['a', 'b', 'c']) emit(task);
      expect(shown).not.toHaveBeenCalled();
      vi.advanceTimersByTime(200);
      expect(shown).toHaveBeenCalledTimes(1);
      expect(Object.keys(resultsStore.getState().scores.merged!)).toEqual(['a', 'b', 'c']);
    } finally {
      stop();
      vi.useRealTimers();
    }
  });

  it('are not shown once what they belong to is left', () => {
    emit('a');
    resetResults();
    showResults();
    expect(resultsStore.getState().scores).toEqual({});
  });

  it('of another merge are dropped, though they were not shown', () => {
    emit('a');
    dropStale({ ...DEFAULT_RECIPE, lambda: 0.7 });
    showResults();
    expect(resultsStore.getState().scores.merged).toBeUndefined();
  });
});
