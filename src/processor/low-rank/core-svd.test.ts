import { describe, expect, test } from 'vitest';
import { svd } from '@/reference/svd';
import { toRows } from './columns';
import { coreSvd, type CoreSvd } from './core-svd';
import { orthogonalize } from './jacobi';
import {
  entriesOf,
  fakeColumns,
  mostApart,
  naiveProduct,
  naiveTranspose,
  offOrthonormal,
} from './matrices.fixture';

function productOf({ u, sigma, v }: CoreSvd): number[][] {
  const scaled = entriesOf(u).map((row) => row.map((value, k) => value * sigma[k]!));
  return naiveProduct(scaled, naiveTranspose(entriesOf(v)));
}

const TOLERANCE = 2 ** -30;
/** What such cosines may leave. */
const LEFT = 2 ** -29;

describe('coreSvd', () => {
  test.each([
    [1, 1, 0],
    [1, 6, 0],
    [6, 1, 0],
    [16, 16, 0],
    [12, 20, 0.3],
    [20, 12, 0.3],
    [24, 24, 0.5],
  ])('%i x %i, each column 10^-%d of the last', (rows, columns, decay) => {
    const matrix = fakeColumns(rows, rows, columns, (value, _, k) => value * 10 ** (-decay * k));
    const found = coreSvd(toRows(matrix));
    const twin = svd(matrix);
    expect(found.sweeps.converged).toBe(true);
    expect(found.sigma.length).toBe(twin.sigma.length);
    expect(mostApart(productOf(found), entriesOf(matrix))).toBeLessThan(1e-13);
    expect(offOrthonormal(entriesOf(found.u))).toBeLessThan(LEFT);
    expect(offOrthonormal(entriesOf(found.v))).toBeLessThan(LEFT);
    found.sigma.forEach((sigma, k) => {
      expect(sigma).toBeLessThanOrEqual(found.sigma[k - 1] ?? Infinity);
      // Small ones, too, to their own precision: columns keep theirs.
      expect(Math.abs(sigma / twin.sigma[k]! - 1)).toBeLessThan(1e-8);
    });
  });

  test('what is only rounding has no triplets', () => {
    const matrix = fakeColumns(3, 10, 6, (value, i, k) => (k < 4 ? value : Math.cos(i)));
    expect(coreSvd(toRows(matrix)).sigma.length).toBe(5);
    expect(coreSvd(toRows(fakeColumns(3, 10, 6, () => 0))).sigma.length).toBe(0);
  });
});

describe('orthogonalize', () => {
  test('rotates what lies below with it', () => {
    const [length, columns] = [9, 5];
    const x = fakeColumns(4, length + columns, columns, (value, i, k) =>
      i < length ? value : +(i - length === k),
    );
    const before = entriesOf(x).slice(0, length);
    expect(orthogonalize(x, length, TOLERANCE).converged).toBe(true);
    const [turned, rotations] = [entriesOf(x).slice(0, length), entriesOf(x).slice(length)];
    expect(offOrthonormal(rotations)).toBeLessThan(1e-14);
    expect(mostApart(naiveProduct(before, rotations), turned)).toBeLessThan(1e-14);
    const cross = naiveProduct(naiveTranspose(turned), turned);
    cross.forEach((row, p) => {
      row.forEach((value, q) => {
        const lengths = Math.sqrt(cross[p]![p]! * cross[q]![q]!);
        if (p !== q) expect(Math.abs(value) / lengths).toBeLessThan(TOLERANCE);
      });
    });
  });

  test('one sweep says that all are orthogonal', () => {
    const x = fakeColumns(1, 4, 3, (_, i, k) => (i === k ? k + 1 : 0));
    expect(orthogonalize(x, 4, TOLERANCE)).toEqual({ count: 1, converged: true });
  });
});
