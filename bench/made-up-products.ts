/** LoRA products of a real model's shapes, for timing their SVD. */
import { type Factor, type LowRankProduct } from '@/tensor/low-rank';

/** q and v of all 36 attention blocks of Flan-T5-base (12 + 2 x 12), eight adapters. */
export const MATRICES = 8 * 2 * 36;
export const LENGTH = 768;
export const RANK = 16;

/** Factors of uniform noise; a few different ones, since what is in them hardly matters. */
export function madeUpProducts(count: number): LowRankProduct[] {
  const different = Array.from({ length: 4 }, (_, seed) => ({
    left: noise(2 * seed + 1, 'columns'),
    right: noise(2 * seed + 2, 'rows'),
  }));
  return Array.from({ length: count }, (_, i) => ({
    name: `matrix ${i}`,
    rows: LENGTH,
    columns: LENGTH,
    terms: [{ rank: RANK, coefficient: 2, ...different[i % different.length]! }],
  }));
}

function noise(seed: number, vectors: Factor['vectors']): Factor {
  let state = seed;
  const values = Float32Array.from({ length: LENGTH * RANK }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32 - 0.5;
  });
  return { bytes: new Uint8Array(values.buffer), dtype: 'F32', vectors };
}
