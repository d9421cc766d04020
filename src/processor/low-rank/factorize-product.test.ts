import { describe, expect, test } from 'vitest';
import { denseDelta } from '@/reference/low-rank-delta';
import { svd, transpose } from '@/reference/svd';
import { type LowRankProduct } from '@/tensor/low-rank';
import { type FactorizedProduct, factorizeProduct } from './factorize-product';
import { fakeProduct } from './products.fixture';

/** Vectors are rounded to float32, and three times that is allowed where two of them meet. */
const ROUNDOFF = 2 ** -24;

/** ‖Δ - u vᵀ‖ / ‖Δ‖ over all entries, in float64. */
function denseResidual(product: LowRankProduct, found: FactorizedProduct): number {
  const { rows, columns } = product;
  const delta = denseDelta(product);
  let [error, norm] = [0, 0];
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      let entry = 0;
      for (let k = 0; k < found.sigma.length; k++) {
        entry += found.left[k * rows + i]! * found.right[k * columns + j]!;
      }
      error += (delta[i * columns + j]! - entry) ** 2;
      norm += delta[i * columns + j]! ** 2;
    }
  }
  return Math.sqrt(error / norm);
}

/** Most that vectors of length sqrt(σ) are from orthogonal, divided by their lengths. */
function offOrthogonal(vectors: Float32Array, sigma: Float32Array): number {
  const length = vectors.length / sigma.length;
  let worst = 0;
  for (let p = 0; p < sigma.length; p++) {
    for (let q = 0; q <= p; q++) {
      let sum = 0;
      for (let i = 0; i < length; i++) sum += vectors[p * length + i]! * vectors[q * length + i]!;
      const cosine = sum / Math.sqrt(sigma[p]! * sigma[q]!);
      worst = Math.max(worst, Math.abs(cosine - (p === q ? 1 : 0)));
    }
  }
  return worst;
}

/** Vectors that begin alike, as A of tasks that were trained from one seed. */
const alike = (apart: number) => (value: number, i: number, k: number) =>
  Math.sin(1 + i * ((k % 4) + 1)) + apart * value;

/** Each takes another way: which side is wide, and which has columns near to dependent. */
const PRODUCTS: Readonly<Record<string, LowRankProduct>> = {
  'tall sides': fakeProduct({ rows: 61, columns: 47, ranks: [5, 3] }),
  halves: fakeProduct({ rows: 40, columns: 52, ranks: [7], dtype: 'BF16', swapped: true }),
  'wide left': fakeProduct({ rows: 6, columns: 30, ranks: [4, 5] }),
  'wide right': fakeProduct({ rows: 30, columns: 6, ranks: [4, 5] }),
  'wide both': fakeProduct({ rows: 9, columns: 7, ranks: [12] }),
  'alike to 1e-2': fakeProduct({ rows: 50, columns: 60, ranks: [4, 4], right: alike(1e-2) }),
  'alike to 1e-6': fakeProduct({ rows: 50, columns: 60, ranks: [4, 4], right: alike(1e-6) }),
  'alike on both sides': fakeProduct({
    ...{ rows: 50, columns: 60, ranks: [4, 4] },
    ...{ left: alike(1e-5), right: alike(1e-5) },
  }),
  'zero columns': fakeProduct({
    ...{ rows: 20, columns: 24, ranks: [3, 3] },
    left: (value, _, k) => (k % 2 === 0 ? 0 : value),
    right: (value, _, k) => (k === 1 ? 0 : value),
  }),
  'scales 1e-30 to 1e30 that even out': fakeProduct({
    ...{ rows: 33, columns: 21, ranks: [5] },
    left: (value, _, k) => value * 10 ** (15 * (k - 2)),
    right: (value, _, k) => value * 10 ** (-15 * (k - 2)),
  }),
  'all tiny': fakeProduct({ rows: 20, columns: 21, ranks: [3], left: (value) => value * 1e-37 }),
  'all huge': fakeProduct({ rows: 20, columns: 21, ranks: [3], left: (value) => value * 1e37 }),
};

describe.each(Object.entries(PRODUCTS))('%s', (_, product) => {
  const found = factorizeProduct(product);
  const { rows, columns } = product;

  test('singular values of the dense product', () => {
    const delta = denseDelta(product);
    const twin = svd(transpose({ rows: columns, columns: rows, data: delta })).sigma;
    expect(found.sigma.length).toBeGreaterThan(0);
    twin.forEach((sigma, k) => {
      const apart = Math.abs((found.sigma[k] ?? 0) - sigma);
      expect(apart / twin[0]!, `σ ${k}`).toBeLessThan(ROUNDOFF);
    });
  });

  test('vectors that reproduce it, orthogonal, and a report that says so', () => {
    expect(found.converged).toBe(true);
    const residual = denseResidual(product, found);
    expect(residual).toBeLessThan(3 * ROUNDOFF);
    expect(found.residual / residual).toBeGreaterThan(1 / 3);
    expect(found.residual / residual).toBeLessThan(3);
    const worst = Math.max(
      offOrthogonal(found.left, found.sigma),
      offOrthogonal(found.right, found.sigma),
    );
    expect(worst).toBeLessThan(3 * ROUNDOFF);
    expect(found.orthogonality).toBeLessThan(3 * ROUNDOFF);
  });

  test('of each u, the first of the largest entries is positive', () => {
    found.sigma.forEach((_sigma, k) => {
      const u = [...found.left.subarray(k * rows, (k + 1) * rows)];
      const largest = Math.max(...u.map(Math.abs));
      expect(u.find((value) => Math.abs(value) === largest)).toBeGreaterThan(0);
    });
  });
});

test('a product is factorised alike whatever came before it', () => {
  const [first, ...others] = Object.values(PRODUCTS);
  const alone = factorizeProduct(first!);
  const copy = structuredClone(alone);
  const large = fakeProduct({ rows: 900, columns: 700, ranks: [24] });
  for (const product of [...others, large]) factorizeProduct(product);
  expect(alone, 'what was answered is nobody else’s').toEqual(copy);
  expect(factorizeProduct(first!)).toEqual(copy);
});

test('of two largest entries the first one is positive', () => {
  const given = { rows: 2, columns: 2, ranks: [1] };
  for (const left of [(_: number, i: number) => 1 - 2 * i, (_: number, i: number) => 2 * i - 1]) {
    const [first, second] = factorizeProduct(fakeProduct({ ...given, left })).left;
    expect([first! > 0, second]).toEqual([true, -first!]);
  }
});

test('zeros have no triplets; with NaN or Inf inside, all that there can be are NaN', () => {
  const given = { rows: 9, columns: 8, ranks: [2, 3] };
  const zeros = factorizeProduct(fakeProduct({ ...given, left: () => 0 }));
  expect([zeros.sigma.length, zeros.residual, zeros.sweeps]).toEqual([0, 0, 0]);
  for (const bad of [NaN, Infinity]) {
    const broken = fakeProduct({
      ...given,
      left: (value, i, k) => (i === 4 && k === 3 ? bad : value),
      right: (value, _, k) => (k === 3 ? 0 : value),
    });
    const { sigma, left, right, residual } = factorizeProduct(broken);
    expect([...sigma, residual]).toEqual(Array(6).fill(NaN));
    expect([left.length, right.length]).toEqual([45, 40]);
    expect([...left, ...right].every(Number.isNaN)).toBe(true);
  }
  expect(factorizeProduct(fakeProduct({ ...given, ranks: [0] })).sigma.length).toBe(0);
});
