import { expect, test } from 'vitest';
import { fakeRows } from './matrices.fixture';
import { orthogonalityOf, residualOf } from './report';
import { scaleColumns } from './rows';

test('how far vectors are from orthogonal does not depend on their lengths', () => {
  const [length, cosine] = [3, 1e-3];
  const roots = Float64Array.from([1e3, 1e-3]);
  const vectors = fakeRows(0, length, 2, (_, i, k) => (i === k ? 1 : i === 0 ? cosine : 0));
  scaleColumns(vectors, roots);
  expect(orthogonalityOf(vectors, roots)).toBeCloseTo(cosine, 12);
  expect(orthogonalityOf(vectors, Float64Array.from([1e3, 2e-3]))).toBeCloseTo(0.75, 3);
});

test.each([1e-6, 1e-2, 1])('a residual of %d is found within a factor of two', (wanted) => {
  const [left, right] = [fakeRows(1, 70, 6), fakeRows(2, 90, 6)];
  const weights = Float64Array.from([1, -2, 3, 4, -5, 6]);
  const u = { ...left, data: left.data.slice() };
  scaleColumns(u, weights);
  expect(residualOf({ left, right, weights }, u, right)).toBeLessThan(1e-15);
  // u + wanted * u' for a u' of the same length, away from it.
  const other = fakeRows(3, 70, 6);
  scaleColumns(other, weights);
  const moved = { ...u, data: u.data.map((value, i) => value + wanted * other.data[i]!) };
  const found = residualOf({ left, right, weights }, moved, right);
  expect(found / wanted).toBeGreaterThan(0.5);
  expect(found / wanted).toBeLessThan(2);
});
