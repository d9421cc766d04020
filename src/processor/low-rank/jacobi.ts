/**
 * One-sided Jacobi (Hestenes 1958) on whole columns: rotates pairs until all are orthogonal. Columns
 * of very different lengths keep their own precision, since each test is relative to both.
 */
import { type Columns } from './columns';
import { matrixMath } from './multiply';

/** Random cores of rank 256 take 10. */
const MAX_SWEEPS = 60;

export interface Sweeps {
  readonly count: number;
  readonly converged: boolean;
}

/**
 * Makes the first `length` entries of all columns orthogonal by rotations of whole columns, so that
 * what lies below them takes part in every rotation. A pair takes `length` multiply-adds, and
 * 4 x rows where it is rotated.
 *
 * @param x changed in place
 * @param tolerance cosine above which two columns are rotated
 */
export function orthogonalize(x: Columns, length: number, tolerance: number): Sweeps {
  const { rows, columns } = x;
  const math = matrixMath();
  // Both parts of a column are padded to an even number of entries.
  const below = length + (length % 2);
  const height = below + rows - length + ((rows - length) % 2);
  const [at, squares] = math.reserve(columns * height, columns);
  const room = math.view(at, columns * height).fill(0);
  for (let k = 0; k < columns; k++) {
    const column = x.data.subarray(k * rows, (k + 1) * rows);
    room.set(column.subarray(0, length), k * height);
    room.set(column.subarray(length), k * height + below);
  }
  const shape = { columns, height, length: below };
  let count = 1;
  let converged = true;
  while (converged && math.sweep(at, shape, squares, tolerance)) {
    if (count === MAX_SWEEPS) converged = false;
    else count++;
  }
  for (let k = 0; k < columns; k++) {
    const column = room.subarray(k * height, (k + 1) * height);
    x.data.set(column.subarray(0, length), k * rows);
    x.data.set(column.subarray(below, below + rows - length), k * rows + length);
  }
  return { count, converged };
}
