import { describe, expect, it } from 'vitest';
import { encodeFloats } from '@/tensor/half';
import { type Factor } from '@/tensor/low-rank';
import { denseDelta } from './low-rank-delta';

const factor = (
  values: readonly number[],
  vectors: Factor['vectors'],
  dtype: Factor['dtype'] = 'F32',
): Factor => ({ bytes: encodeFloats(Float32Array.from(values), dtype), dtype, vectors });

describe('denseDelta', () => {
  it('multiplies the factors however they lie and in any dtype', () => {
    // L = [[1, 2], [3, 4], [5, 6]], R = [[1, -1], [2, 0.5]], so L Rᵀ is known by hand.
    const expected = [-1, 3, -1, 8, -1, 13];
    for (const dtype of ['F32', 'F16', 'BF16'] as const) {
      for (const [left, right] of [
        [factor([1, 2, 3, 4, 5, 6], 'columns', dtype), factor([1, 2, -1, 0.5], 'rows', dtype)],
        [factor([1, 3, 5, 2, 4, 6], 'rows', dtype), factor([1, -1, 2, 0.5], 'columns', dtype)],
      ] as const) {
        const terms = [{ rank: 2, coefficient: 1, left, right }];
        expect([...denseDelta({ name: 'w', rows: 3, columns: 2, terms })]).toEqual(expected);
      }
    }
  });

  it('adds its terms up, each with its coefficient', () => {
    const term = { rank: 1, left: factor([1, 2], 'rows'), right: factor([3], 'rows') };
    const terms = [
      { ...term, coefficient: 0.5 },
      { ...term, coefficient: -2 },
    ];
    expect([...denseDelta({ name: 'w', rows: 2, columns: 1, terms })]).toEqual([-4.5, -9]);
  });
});
