import { describe, expect, it } from 'vitest';
import { type Engine } from '@/tensor/engine';
import { type JobEvent } from '@/protocol/events';
import { type GroupEvaluator, rowCounts, whileJobLasts } from './group-evaluator';
import { ScoreBook } from './score-book';
import { RowProgress, scoreColumns } from './score-columns';
import { type Column, type Job } from './scored-group';

const COLUMN: Column = {
  method: 'pretrained',
  key: 'pretrained',
  title: 'the pretrained model',
  shared: true,
  layOut: () => Promise.resolve({ tensors: new Map(), dispose: () => undefined }),
};

describe('a group of which one task has no test set', () => {
  it('scores the others, to the end of what is scored, and counts their rows', async () => {
    const scored: number[] = [];
    const events: JobEvent[] = [];
    const split = {
      name: 's',
      rowCount: 40,
      ofRowCount: 900,
      classCount: 2,
      metric: 'accuracy',
    } as const;
    const evaluator: GroupEvaluator = {
      splits: [null, { ...split, rowKind: 'text' }],
      unscoredBecause: ['gone', null],
      modelWeights: [],
      location: 'cpu',
      gpuBytes: 0,
      score: (task, _, { from, to }) => {
        scored.push(task);
        return Promise.resolve({ metric: 'accuracy', correct: 30, n: to - from });
      },
      dispose: () => undefined,
    };
    const tasks = ['a', 'b'].map((name, index) => {
      return { index, name, title: name, rowCount: evaluator.splits[index]?.rowCount ?? 0 };
    });
    const job = {
      group: { engine: {} as Engine, tasks, evaluator, book: new ScoreBook() },
      emit: (event: JobEvent) => events.push(event),
      signal: new AbortController().signal,
    } as unknown as Job;
    const progress = new RowProgress(job, [COLUMN]);
    await scoreColumns(job, [COLUMN], Infinity, progress);
    expect(scored).toEqual([1]);
    const scores = events.filter((event) => event.type === 'score');
    expect(scores.map(({ score }) => score)).toEqual([
      { method: 'pretrained', task: 'b', metric: 'accuracy', value: 0.75, n: 40, total: 40 },
    ]);
    const last = events.filter((event) => event.type === 'progress').at(-1);
    expect(last?.progress).toMatchObject({ done: 40, total: 40, unit: 'texts' });
  });
});

describe('whileJobLasts', () => {
  it('gives what the work gives, or its failure', async () => {
    const { signal } = new AbortController();
    expect(await whileJobLasts(Promise.resolve(3), signal)).toBe(3);
    await expect(whileJobLasts(Promise.reject(new Error('gone')), signal)).rejects.toThrow('gone');
  });

  it('leaves the work to itself once the job is over', async () => {
    const job = new AbortController();
    let finish: (value: number) => void = () => undefined;
    const work = new Promise<number>((resolve) => (finish = resolve));
    const waiting = whileJobLasts(work, job.signal);
    job.abort(new DOMException('Stopped.', 'AbortError'));
    await expect(waiting).rejects.toThrow('Stopped.');
    finish(4);
    expect(await work).toBe(4);
    await expect(whileJobLasts(work, job.signal)).rejects.toThrow('Stopped.');
  });
});

describe('rowCounts', () => {
  it('names the whole split only where a sample stands for it', () => {
    expect(rowCounts({ rowCount: 512, ofRowCount: 26_032 })).toEqual({
      rowCount: 512,
      ofRowCount: 26_032,
    });
    expect(rowCounts({ rowCount: 70, ofRowCount: 70 })).toEqual({ rowCount: 70 });
  });
});
