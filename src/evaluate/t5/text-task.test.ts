import { describe, expect, it } from 'vitest';
import { metricValue } from '@/evaluate/runtime/outcome';
import { oneDecimal, readNumber, scoreAnswers } from './text-task';

describe('scoreAnswers', () => {
  const yesNo = { metric: 'accuracy', answers: ['yes', 'no'] } as const;

  it('counts answers that are equal to the letter', () => {
    const generated = ['yes', 'no', 'Yes', 'yes.', 'no', ''];
    const labels = [0, 1, 0, 0, 0, 1];
    expect(scoreAnswers(generated, labels, yesNo)).toEqual({
      metric: 'accuracy',
      correct: 2,
      n: 6,
    });
    expect(scoreAnswers([], [], yesNo)).toEqual({ metric: 'accuracy', correct: 0, n: 0 });
  });

  it('ranks numbers, and takes for 0 what is none', () => {
    const task = { metric: 'spearman', answers: null } as const;
    const rho = (answers: string[], labels: number[]): number =>
      metricValue(scoreAnswers(answers, labels, task));
    expect(rho(['1.0', '3', '4.5'], [1, 2, 5])).toBe(1);
    expect(rho(['like', '3', '4.5'], [5, 2, 1])).toBe(-1);
    expect(rho(['2', '2', '2'], [5, 2, 1])).toBe(0);
    // 1.04 and 0.96 are one label once rounded, so their answers can not be in the wrong order.
    expect(rho(['2.0', '1.0', '3.0'], [1.04, 0.96, 2])).toBeCloseTo(Math.sqrt(0.75), 12);
  });

  it('refuses a label without an answer, and lists of different length', () => {
    expect(() => scoreAnswers(['yes'], [2], yesNo)).toThrow(/Label 2 has no answer/);
    expect(() => scoreAnswers(['yes'], [], yesNo)).toThrow(RangeError);
  });
});

describe('readNumber', () => {
  it.each([
    ['3.8', 3.8],
    [' -2 ', -2],
    ['.5', 0.5],
    ['5.', 5],
    ['1e1', 10],
    ['', 0],
    ['yes', 0],
    ['3.8 of 5', 0],
    ['0x10', 0],
    ['nan', 0],
    ['1e999', 0],
  ])('reads "%s" as %d', (text, value) => {
    expect(readNumber(text)).toBe(value);
  });
});

describe('oneDecimal', () => {
  it('rounds to the nearest tenth, midway to the even one, as Python', () => {
    const rounded = [2.25, 2.75, 3.25, 0.25, 2.35, 2.5, 4.199999809265137, 5].map(oneDecimal);
    expect(rounded).toEqual([2.2, 2.8, 3.2, 0.2, 2.4, 2.5, 4.2, 5]);
  });
});
