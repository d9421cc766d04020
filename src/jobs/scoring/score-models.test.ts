import { describe, expect, it } from 'vitest';
import { type Engine } from '@/tensor/engine';
import { type JobEvent } from '@/protocol/events';
import { type GroupScorer } from './group-scorer';
import { ScoreCache } from './score-cache';
import { RowProgress, scoreModels } from './score-models';
import { type ScoredModel, type Job } from './scored-group';

const MODEL: ScoredModel = {
  method: 'pretrained',
  key: 'pretrained',
  title: 'the pretrained model',
  shared: true,
  layOut: () => Promise.resolve({ tensors: new Map(), dispose: () => undefined }),
};

describe('a group of which one task has no test set', () => {
  it('scores the others, to the end of what is scored, and counts their rows by what they are', async () => {
    const scored: number[] = [];
    const events: JobEvent[] = [];
    const split = {
      name: 's',
      rowCount: 40,
      ofRowCount: 900,
      classCount: 2,
      metric: 'accuracy',
    } as const;
    const scorer: GroupScorer = {
      splits: [null, { ...split, rowKind: 'text' }, { ...split, rowCount: 60, rowKind: 'image' }],
      unscoredBecause: ['gone', null, null],
      modelWeights: [],
      location: 'cpu',
      gpuBytes: 0,
      score: (task, _, { from, to }) => {
        scored.push(task);
        return Promise.resolve({ metric: 'accuracy', correct: 30, n: to - from });
      },
      dispose: () => undefined,
    };
    const tasks = ['a', 'b', 'c'].map((name, index) => {
      return { index, name, title: name, rowCount: scorer.splits[index]?.rowCount ?? 0 };
    });
    const job = {
      group: { engine: {} as Engine, tasks, scorer, scores: new ScoreCache() },
      emit: (event: JobEvent) => events.push(event),
      signal: new AbortController().signal,
    } as unknown as Job;
    const progress = new RowProgress(job, [MODEL]);
    await scoreModels(job, [MODEL], Infinity, progress);
    expect(scored).toEqual([1, 2]);
    const scores = events.filter((event) => event.type === 'score');
    expect(scores.map(({ score }) => score)).toEqual([
      { method: 'pretrained', task: 'b', metric: 'accuracy', value: 0.75, n: 40, total: 40 },
      { method: 'pretrained', task: 'c', metric: 'accuracy', value: 0.5, n: 60, total: 60 },
    ]);
    const told = events.filter((event) => event.type === 'progress');
    expect(told.map(({ progress: { done, unit } }) => [done, unit])).toEqual([
      [0, 'texts'],
      [40, 'texts'],
      [40, 'images'],
      [100, 'images'],
    ]);
    expect(told.every((event) => event.progress.total === 100)).toBe(true);
  });
});
