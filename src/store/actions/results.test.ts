import { beforeEach, describe, expect, it } from 'vitest';
import { DEFAULT_RECIPE } from '@/store/state/recipe';
import { resultsStore } from '@/store/state/results';
import { dropStale, handleResult, resetResults } from './results';

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
