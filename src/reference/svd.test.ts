import { describe, expect, test } from 'vitest';
import { column, type Columns, dot, svd, zeros } from './svd';
import { qr } from './svd-qr';

/** Entries of a quasi-random sequence in [-1, 1); column k scaled by 10^(-decay k). */
function matrix(rows: number, columns: number, decay = 0): Columns {
  const made = zeros(rows, columns);
  made.data.forEach((_, i) => {
    const scale = 10 ** (-decay * Math.floor(i / rows));
    made.data[i] = scale * (2 * ((i * 0.618_033_988_75 + i * i * 0.414_213_562) % 1) - 1);
  });
  return made;
}

function entry({ u, sigma, v }: ReturnType<typeof svd>, i: number, j: number): number {
  let sum = 0;
  sigma.forEach((s, k) => (sum += u.data[k * u.rows + i]! * s * v.data[k * v.rows + j]!));
  return sum;
}

const SHAPES = [
  [1, 1],
  [1, 9],
  [9, 1],
  [17, 11],
  [11, 17],
  [30, 30],
] as const;

describe('svd', () => {
  test.each(SHAPES)('%i x %i: reconstruction, orthogonality, order', (rows, columns) => {
    const given = matrix(rows, columns, 0.3);
    const found = svd(given);
    expect(found.sigma.length).toBe(Math.min(rows, columns));
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        expect(Math.abs(entry(found, i, j) - given.data[j * rows + i]!)).toBeLessThan(1e-13);
      }
    }
    found.sigma.forEach((sigma, k) => {
      expect(sigma).toBeLessThanOrEqual(found.sigma[k - 1] ?? Infinity);
      for (let other = 0; other <= k; other++) {
        const wanted = other === k ? 1 : 0;
        for (const vectors of [found.u, found.v]) {
          const product = dot(column(vectors, k), column(vectors, other));
          expect(Math.abs(product - wanted)).toBeLessThan(1e-12);
        }
      }
    });
  });

  test('a diagonal gives itself, sorted', () => {
    const diagonal = zeros(4, 3);
    [0.5, -3, 2].forEach((value, k) => (diagonal.data[k * 4 + k] = value));
    expect([...svd(diagonal).sigma]).toEqual([3, 2, 0.5]);
  });

  test('zero and duplicate columns', () => {
    const given = matrix(8, 4);
    column(given, 1).fill(0);
    column(given, 3).set(column(given, 2));
    const { sigma } = svd(given);
    expect(sigma[3]).toBeLessThan(1e-15);
    expect(sigma[2]).toBeLessThan(1e-15);
    expect(sigma[1]).toBeGreaterThan(0.1);
  });
});

describe('qr', () => {
  test.each(SHAPES)('%i x %i: Q R is the matrix, Q orthonormal, R triangular', (rows, columns) => {
    const given = matrix(rows, columns);
    const { q, r } = qr(given);
    expect([q.columns, r.rows]).toEqual([Math.min(rows, columns), Math.min(rows, columns)]);
    for (let j = 0; j < columns; j++) {
      for (let i = 0; i < rows; i++) {
        let sum = 0;
        for (let k = 0; k < q.columns; k++) sum += q.data[k * rows + i]! * r.data[j * r.rows + k]!;
        expect(Math.abs(sum - given.data[j * rows + i]!)).toBeLessThan(1e-13);
      }
      for (let i = j + 1; i < r.rows; i++) {
        expect(Math.abs(r.data[j * r.rows + i]!)).toBeLessThan(1e-14);
      }
    }
    for (let k = 0; k < q.columns; k++) {
      expect(Math.abs(dot(column(q, k), column(q, k)) - 1)).toBeLessThan(1e-13);
    }
  });
});
