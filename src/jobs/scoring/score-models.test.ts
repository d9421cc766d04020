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
      atOnce: 1,
      prepare: () => undefined,
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

describe('a scorer that takes several models at once', () => {
  const SPLIT = {
    name: 's',
    rowCount: 40,
    ofRowCount: 40,
    classCount: 2,
    metric: 'accuracy',
    rowKind: 'image',
  } as const;

  function slowJob() {
    const log: string[] = [];
    const ends: ((error?: Error) => void)[] = [];
    const stop = new AbortController();
    const scorer: GroupScorer = {
      splits: [SPLIT, SPLIT],
      unscoredBecause: [null, null],
      modelWeights: [],
      location: 'cpu',
      atOnce: 2,
      gpuBytes: 0,
      prepare: (task, from) => log.push(`prepare ${task} from ${from}`),
      score: (task) => {
        const index = ends.length;
        log.push(`score ${index} on ${task}`);
        return new Promise((resolve, reject) => {
          ends[index] = (error) => {
            if (error !== undefined) reject(error);
            else resolve({ metric: 'accuracy', correct: index, n: 40 });
          };
        });
      },
      dispose: () => undefined,
    };
    const models = ['one', 'two'].map((key): ScoredModel => ({
      ...{ method: key, key, title: key, shared: false },
      layOut: (task) => {
        log.push(`lay out ${key} for ${task}`);
        return Promise.resolve({
          tensors: new Map(),
          dispose: () => log.push(`dispose ${key} for ${task}`),
        });
      },
    }));
    const tasks = ['a', 'b'].map((name, index) => ({ index, name, title: name, rowCount: 40 }));
    const job = {
      group: { engine: {} as Engine, tasks, scorer, scores: new ScoreCache() },
      emit: (event: JobEvent) => {
        if (event.type === 'score') log.push(`told ${event.score.method} on ${event.score.task}`);
      },
      signal: stop.signal,
    } as unknown as Job;
    const scoring = scoreModels(job, models, Infinity, new RowProgress(job, models));
    return { log, ends, scoring };
  }

  const settle = () => new Promise((resolve) => setTimeout(resolve));

  it('is given the next while one is scored, and told of in order', async () => {
    const { log, ends, scoring } = slowJob();
    await settle();
    expect(log.splice(0)).toEqual([
      'prepare 1 from 0',
      'lay out one for 0',
      'score 0 on 0',
      'lay out two for 0',
      'score 1 on 0',
    ]);
    ends[1]!();
    await settle();
    expect(log).toEqual([]);
    ends[0]!();
    await settle();
    const after = log.splice(0);
    expect(after.filter((line) => line.startsWith('told'))).toEqual([
      'told one on a',
      'told two on a',
    ]);
    expect(after.filter((line) => line.startsWith('score'))).toEqual([
      'score 2 on 1',
      'score 3 on 1',
    ]);
    ends[2]!();
    ends[3]!();
    await scoring;
    expect(log.filter((line) => line.startsWith('told'))).toHaveLength(2);
  });

  it('fails with what fails first, and gives back what was laid out', async () => {
    const { log, ends, scoring } = slowJob();
    await settle();
    const failed = expect(scoring).rejects.toThrow('broken');
    ends[0]!(new Error('broken'));
    await failed;
    ends[1]!();
    await settle();
    expect(log.filter((line) => line.startsWith('dispose')).sort()).toEqual([
      'dispose one for 0',
      'dispose two for 0',
    ]);
    expect(log.some((line) => line.startsWith('told'))).toBe(false);
  });
});
