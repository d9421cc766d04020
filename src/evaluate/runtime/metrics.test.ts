import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { argmaxRows, countCorrect, spearman } from './metrics';

describe('argmaxRows', () => {
  it('takes the first of equal values in each row', () => {
    const values = Float32Array.of(1, 3, 3, -5, -7, -5);
    expect([...argmaxRows(values, 3)]).toEqual([1, 0]);
  });

  it('gives nothing for no rows', () => {
    expect([...argmaxRows(new Float32Array(0), 4)]).toEqual([]);
    expect([...argmaxRows(new Float32Array(0), 0)]).toEqual([]);
  });
});

describe('countCorrect', () => {
  it('counts none, some and all', () => {
    expect(countCorrect([], [])).toBe(0);
    expect(countCorrect([1, 2, 3], [3, 1, 2])).toBe(0);
    expect(countCorrect([1, 2, 3], Int32Array.of(1, 0, 3))).toBe(2);
    expect(countCorrect([1, 2], [1, 2])).toBe(2);
  });

  it('refuses lists of different length', () => {
    expect(() => countCorrect([1], [1, 2])).toThrow(RangeError);
  });
});

describe('spearman', async () => {
  const url = new URL('../golden/t5/spearman.json', import.meta.url);
  const golden = JSON.parse(await readFile(url, 'utf8')) as {
    a: number[];
    b: number[];
    rho: number;
  }[];

  it.each(golden)("is scipy's, ties and all: $rho", ({ a, b, rho }) => {
    expect(spearman(a, b)).toBeCloseTo(rho, 12);
    expect(spearman(b, a)).toBeCloseTo(rho, 12);
  });

  it('is 0 where a side is constant or empty', () => {
    expect(spearman([2, 2, 2], [1, 2, 3])).toBe(0);
    expect(spearman([1, 2, 3], [0, 0, 0])).toBe(0);
    expect(spearman([], [])).toBe(0);
  });

  it('refuses lists of different length', () => {
    expect(() => spearman([1], [1, 2])).toThrow(RangeError);
  });
});
