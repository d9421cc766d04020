import { describe, expect, it } from 'vitest';
import { type UploadProgress, UploadTally } from './upload-tally';

const FILES = [
  { path: 'a', bytes: 1000 },
  { path: 'b', bytes: 500 },
  { path: 'empty', bytes: 0 },
];

function tallied(): { readonly told: UploadProgress[]; readonly tally: UploadTally } {
  const told: UploadProgress[] = [];
  return { told, tally: new UploadTally(FILES, (progress) => void told.push(progress)) };
}

const of = (state: 'hashing' | 'uploading', path: string, progress: number) =>
  ({ event: 'fileProgress', path, progress, state }) as const;

describe('the progress of an upload', () => {
  it('is the sum over its files, of one step after the other', () => {
    const { told, tally } = tallied();
    tally.take(of('hashing', 'a', 0.5));
    tally.take(of('hashing', 'b', 1));
    tally.take(of('uploading', 'b', 0.5));
    tally.take(of('uploading', 'a', 1));
    expect(told.map(({ step, done }) => [step, done])).toEqual([
      ['hashing', 500],
      ['hashing', 1000],
      ['uploading', 0],
      ['uploading', 250],
      ['uploading', 1250],
    ]);
    expect(new Set(told.map(({ total }) => total))).toEqual(new Set([1500]));
  });

  it('never goes back: not for a request sent again, nor for the step before', () => {
    const { told, tally } = tallied();
    tally.take(of('uploading', 'a', 0.9));
    tally.take(of('uploading', 'a', 0.1));
    tally.take(of('hashing', 'b', 1));
    tally.take(of('uploading', 'a', 1.5));
    expect(told.map(({ done }) => done)).toEqual([0, 900, 1000]);
  });

  it('ends with everything, also where nothing had to be sent', () => {
    const { told, tally } = tallied();
    tally.finish();
    expect(told.at(-1)).toEqual({ step: 'uploading', done: 1500, total: 1500 });
  });
});
