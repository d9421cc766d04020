import { describe, expect, it } from 'vitest';
import { denseDelta } from '@/reference/low-rank-delta';
import { encodeFloats } from '@/tensor/half';
import { type Factor, type LowRankProduct } from '@/tensor/low-rank';
import { linearMerge } from '@/tensor/merge-plan';
import { mergedProducts } from './merged-products';

function factor(values: readonly number[], vectors: Factor['vectors']): Factor {
  return { bytes: encodeFloats(Float32Array.from(values), 'F32'), dtype: 'F32', vectors };
}

/** A product of a 2 x 3 weight, filled with multiples of `seed`. */
function product(name: string, rank: number, seed: number, coefficient = 1): LowRankProduct {
  const fill = (count: number, step: number) =>
    Array.from({ length: count }, (_, i) => ((i * step + seed) % 7) - 3);
  const left = factor(fill(2 * rank, 3), 'columns');
  const right = factor(fill(3 * rank, 5), 'rows');
  return { name, rows: 2, columns: 3, terms: [{ rank, coefficient, left, right }] };
}

describe('mergedProducts', () => {
  const one = [product('w', 2, 1, 0.5), product('only-one', 1, 2)];
  const two = [product('w', 3, 4, 2), product('é', 1, 3), product('Z', 2, 5)];

  it('adds up the products of all tasks without cross terms', () => {
    const merged = mergedProducts([one, two], linearMerge([0.3, -1.5]));
    const whole = merged.find(({ name }) => name === 'w')!;
    const expected = denseDelta(one[0]!).map(
      (value, i) => 0.3 * value - 1.5 * denseDelta(two[0]!)[i]!,
    );
    expect(whole.terms.map(({ rank }) => rank)).toEqual([2, 3]);
    for (const [i, value] of denseDelta(whole).entries()) {
      expect(value).toBeCloseTo(expected[i]!, 12);
    }
  });

  it('gives a weight that one task adapts that task alone, in bytewise order of names', () => {
    const merged = mergedProducts([one, two], linearMerge([2, 4]));
    expect(merged.map(({ name }) => name)).toEqual(['Z', 'only-one', 'w', 'é']);
    const alone = merged[1]!;
    expect(alone.terms).toEqual([{ ...one[1]!.terms[0]!, coefficient: 2 }]);
    expect(alone.terms[0]!.left.bytes).toBe(one[1]!.terms[0]!.left.bytes);
  });

  it('leaves its input as it was, and merges what is merged already', () => {
    const merged = mergedProducts([one, two], linearMerge([1, 1]));
    const twice = mergedProducts([merged], linearMerge([2]));
    expect(one[0]!.terms).toHaveLength(1);
    expect(twice.find(({ name }) => name === 'w')!.terms.map((t) => t.coefficient)).toEqual([1, 4]);
    expect(mergedProducts([], linearMerge([]))).toEqual([]);
  });

  it('refuses what does not belong together', () => {
    expect(() => mergedProducts([one], linearMerge([1, 2]))).toThrow(RangeError);
    const other = [{ ...product('w', 1, 1), rows: 3 }];
    expect(() => mergedProducts([one, other], linearMerge([1, 1]))).toThrow(/"w" two shapes/);
  });
});
