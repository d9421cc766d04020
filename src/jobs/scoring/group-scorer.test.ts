import { expect, it } from 'vitest';
import { groupScorer, type SplitScorer } from './group-scorer';
import { type Split } from './open-splits';

function split(rowCount: number, ofRowCount: number): Split {
  return { dataset: { rowCount, ofRowCount, readRows: () => Promise.resolve([]) } };
}

const TESTS = [{ kind: 'text', name: 'a' }, null, { kind: 'text', name: 'c' }] as const;
const SPLITS = [split(512, 26_032), null, split(70, 70)];
const asked: [Split, number, number][] = [];

const scorer: SplitScorer<Split> = {
  modelWeights: ['w'],
  gpuBytes: 8,
  answersOf: () => ({ classCount: 2, metric: 'accuracy' }),
  prepare: () => Promise.resolve(),
  score: (of, _, { from, to }) => {
    asked.push([of, from, to]);
    return Promise.resolve({ metric: 'accuracy', correct: 1, n: to - from });
  },
  dispose: () => undefined,
};

const group = groupScorer(scorer, {
  tests: TESTS,
  splits: SPLITS,
  unscoredBecause: [null, 'gone', null],
  provider: { kind: 'wasm' },
});

it('names the whole split only where a sample stands for it', () => {
  const answers = { rowKind: 'text', classCount: 2, metric: 'accuracy' };
  expect(group.splits).toEqual([
    { name: 'a', rowCount: 512, ofRowCount: 26_032, ...answers },
    null,
    { name: 'c', rowCount: 70, ...answers },
  ]);
  expect(group.location).toBe('cpu');
});

it('scores a task on its own split, and none that has no split', async () => {
  const { signal } = new AbortController();
  const weights = { tensors: new Map(), dispose: () => undefined };
  expect(await group.score(2, weights, { from: 3, to: 9, signal })).toMatchObject({ n: 6 });
  expect(asked).toEqual([[SPLITS[2], 3, 9]]);
  await expect(group.score(1, weights, { from: 0, to: 1, signal })).rejects.toThrow('no task 1');
});
