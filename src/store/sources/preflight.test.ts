import { describe, expect, it } from 'vitest';
import { groupOf, preflightOf } from '@/store/state/scripted-worker';
import { type Job } from '@/store/state/job';
import { readPatterns, samePatterns, writePatterns } from './patterns';
import { expectedTime, fitsBudget } from './preflight';
import { startState } from './start-state';
import { type Weights } from '@/store/state/sources';

const PREFLIGHT = preflightOf(groupOf(['a']));
const MEMORY = PREFLIGHT.memory;

describe('the budget', () => {
  it('is kept to by what is resident within it, and by what can be streamed in it', () => {
    const at = (budgetBytes: number, peakBytes: number, leastBytes: number) =>
      fitsBudget({ ...MEMORY, budgetBytes, peakBytes, leastBytes });
    expect(at(10, 10, 4)).toBe(true);
    expect(at(10, 20, 10)).toBe(true);
    expect(at(10, 20, 11)).toBe(false);
    expect(at(10, 8, 12), 'small enough to be resident').toBe(true);
  });
});

describe('the time expected', () => {
  const bytes = { neededBytes: 1000e6, toFetchBytes: 500e6, keptBytes: 500e6 };
  const onDisk = { ...bytes, toFetchBytes: 0 };

  it('rests on what was measured here', () => {
    const rates = { fetched: 50e6, loaded: 400e6 };
    expect(expectedTime({ bytes }, rates)).toEqual({ seconds: 10, rate: 50e6, from: 'measured' });
    expect(expectedTime({ bytes: onDisk }, rates)).toMatchObject({ seconds: 2.5, rate: 400e6 });
  });

  it('is an example for a line never measured, and unknown for a disk never measured', () => {
    const rates = { fetched: null, loaded: null };
    expect(expectedTime({ bytes }, rates)).toMatchObject({ seconds: 40, from: 'example' });
    expect(expectedTime({ bytes: onDisk }, rates)).toBeNull();
  });
});

describe('Start', () => {
  const failed = (phase: 'plan' | 'load'): Job => ({
    status: 'failed',
    phase,
    error: { kind: 'source', message: '', hint: '' },
  });
  const state = (weights: Weights, job: Job, preflight: typeof PREFLIGHT | null = PREFLIGHT) =>
    startState({ preflight, weights }, job);

  it('is ready where the report waits, and where loading by it ended early', () => {
    expect(state('waiting', { status: 'waiting' })).toBe('ready');
    expect(state('absent', { status: 'cancelled', phase: 'load' })).toBe('ready');
    expect(state('absent', failed('load'))).toBe('ready');
  });

  it('is not where the report is of other choices, or none is there', () => {
    expect(state('waiting', failed('plan'))).toBe('unplanned');
    expect(state('absent', { status: 'cancelled', phase: 'plan' })).toBe('unplanned');
    expect(state('waiting', { status: 'waiting' }, null)).toBe('busy');
    expect(state('waiting', { status: 'working', phase: 'plan', pace: null })).toBe('busy');
    expect(state('loaded', { status: 'done', phase: 'run', seconds: 1 })).toBe('busy');
  });

  it('is not where even streaming needs more than the budget', () => {
    const memory = { ...MEMORY, leastBytes: 9e12, peakBytes: 9e12 };
    expect(state('waiting', { status: 'waiting' }, { ...PREFLIGHT, memory })).toBe('too-small');
  });
});

describe('patterns', () => {
  it('are read one a line or with commas, once each, and written one a line', () => {
    const read = readPatterns(' a.* ,b\n\nc?,a.*\r\n');
    expect(read).toEqual(['a.*', 'b', 'c?']);
    expect(readPatterns(writePatterns(read))).toEqual(read);
    expect(readPatterns(' \n,')).toEqual([]);
  });

  it('are the same only in the same order and place', () => {
    const of = (include: string[], exclude: string[] = []) => ({ include, exclude });
    expect(samePatterns(of(['a']), of(['a']))).toBe(true);
    expect(samePatterns(of(['a']), of([], ['a']))).toBe(false);
    expect(samePatterns(of(['a']), of(['a', 'b']))).toBe(false);
  });
});
