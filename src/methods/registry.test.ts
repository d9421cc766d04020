import { describe, expect, it } from 'vitest';
import { COMPRESSORS, MERGERS, SPARSE_COMPRESSORS } from './registry';

describe('mergers', () => {
  it('average with weights that add up to one, whatever λ is', () => {
    for (const taskCount of [1, 2, 3, 8, 20]) {
      const { coefficients: weights } = MERGERS['simple-average'].plan(taskCount, 0.7);
      expect(weights).toHaveLength(taskCount);
      expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 12);
    }
  });

  it('agree where task arithmetic uses λ = 1 / T', () => {
    expect(MERGERS['task-arithmetic'].plan(8, 1 / 8)).toEqual(
      MERGERS['simple-average'].plan(8, 0.3),
    );
  });
});

it('prunes PERU-FFT around theta* and Post-Pruning around theta_0', () => {
  expect(SPARSE_COMPRESSORS['peru-fft'].center).toBe('merged');
  expect(SPARSE_COMPRESSORS['post-pruning'].center).toBe('base');
});

it.each(Object.entries({ ...MERGERS, ...COMPRESSORS }))('cites a paper for %s', (_, { paper }) => {
  // An identifier begins with the year and month of its first version.
  expect(paper.arxiv).toMatch(/^\d{4}\.\d{5}$/);
  expect(paper.year).toBe(2000 + Number(paper.arxiv.slice(0, 2)));
});
