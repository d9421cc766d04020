import { describe, expect, it } from 'vitest';
import {
  bytes,
  bytesTick,
  count,
  countWord,
  energyPercent,
  inText,
  percent,
  points,
  roughTime,
  seconds,
  shortCount,
  tiny,
} from './format';

describe('numbers for people', () => {
  it('shares and differences', () => {
    expect(percent(0.875)).toBe('87.5 %');
    expect(percent(1, 0)).toBe('100 %');
    expect([0.5, NaN].map(energyPercent)).toEqual(['50.0 %', 'not defined']);
    expect(points(0.3124)).toBe('+31.2');
    expect(points(-0.004)).toBe('−0.4');
    expect(points(-0.00001)).toBe('±0.0');
  });

  it('sizes keep three figures across every unit', () => {
    expect([0, 999, 1000, 99_949, 999_499, 999_500, 3_324_000, 2e13].map(bytes)).toEqual([
      '0 B',
      '999 B',
      '1.00 kB',
      '99.9 kB',
      '999 kB',
      '1.00 MB',
      '3.32 MB',
      '20.0 TB',
    ]);
    expect([833_121, 87_460_000].map(shortCount)).toEqual(['833 k', '87.5 M']);
    expect([5e6, 1.5e6, 1e7, 2e8].map(bytesTick)).toEqual(['5 MB', '1.5 MB', '10 MB', '200 MB']);
    expect(count(1234567.4)).toBe('1,234,567');
  });

  it('times', () => {
    expect([0.04, 9.96, 59.6, 200].map(seconds)).toEqual(['0.0 s', '10 s', '1 min', '3 min 20 s']);
  });

  it('times that are estimates', () => {
    expect([0.2, 59, 61, 200, 3599, 3600, 4300, 7180].map(roughTime)).toEqual([
      '1 s',
      '59 s',
      '1 min',
      '3 min',
      '1 h',
      '1 h',
      '1 h 10 min',
      '2 h',
    ]);
  });

  it('counts that begin a sentence, and errors', () => {
    expect([1, 8, 12, 1300].map(countWord)).toEqual(['One', 'Eight', 'Twelve', '1,300']);
    expect([0, 3.14e-7].map(tiny)).toEqual(['0', '3.1e-7']);
  });

  it('unbreakable in running text', () => {
    expect(inText('PERU-FFT (10 %)')).toBe('PERU\u2011FFT\u00a0(10\u00a0%)');
  });
});
