/**
 * Products of float64 matrices, in tiles of 4 x 4 whose sums stay in registers (WebAssembly SIMD).
 * Every entry is summed in the order of its terms, however rows are cut.
 */
import { MatrixMath, type Panels } from '../simd/matrix-math';
import { type Rows, zeroRows } from './rows';

/** Elements that are copied at once: with their panels and sums they stay in a core's cache. */
const AT_ONCE = 2 ** 14;

let math: MatrixMath | null = null;

/** This thread's: what lies in its memory is there until the next call of this folder. */
export function matrixMath(): MatrixMath {
  return (math ??= new MatrixMath());
}

/** aᵀ b: a.rows x a.columns x b.columns multiply-adds; a.rows = b.rows. */
export function transposedTimes(a: Rows, b: Rows): Rows {
  const widest = Math.max(a.stride, b.stride);
  const most = rowsAtOnce(widest);
  const [raw, left, right, sums] = matrixMath().reserve(
    most * widest,
    most * a.stride,
    most * b.stride,
    a.stride * b.stride,
  );
  const total = zeroed(sums, a.stride * b.stride);
  for (let first = 0; first < a.rows; first += most) {
    const rows = Math.min(most, a.rows - first);
    const one = packedColumns({ matrix: a, first, rows, raw, at: left });
    const other = packedColumns({ matrix: b, first, rows, raw, at: right });
    matrixMath().multiply(one, other, rows, sums);
  }
  return copied(total, a.columns, b.columns);
}

/** aᵀ a, of which little more than half is computed: a.rows x a.columns² / 2 multiply-adds. */
export function gram(a: Rows): Rows {
  const { columns, stride } = a;
  const most = rowsAtOnce(stride);
  const square = stride ** 2;
  const [raw, at, sums] = matrixMath().reserve(most * stride, most * stride, square);
  const total = zeroed(sums, square);
  for (let first = 0; first < a.rows; first += most) {
    const rows = Math.min(most, a.rows - first);
    const panels = packedColumns({ matrix: a, first, rows, raw, at });
    matrixMath().multiply(panels, panels, rows, sums, true);
  }
  const out = copied(total, columns, columns);
  for (let p = 0; p < columns; p++) {
    for (let q = p + 1; q < columns; q++) out.data[q * stride + p] = out.data[p * stride + q]!;
  }
  return out;
}

/** a b: a.rows x a.columns x b.columns multiply-adds; a.columns = b.rows. */
export function times(a: Rows, b: Rows): Rows {
  const out = zeroRows(a.rows, b.columns);
  timesByRows(a, b, (firstRow, values) => {
    out.data.set(values, firstRow * out.stride);
  });
  return out;
}

/**
 * a b, some rows at a time.
 *
 * @param onRows is given a row's index and rows from it on, their stride that of b; void after it
 */
export function timesByRows(
  a: Rows,
  b: Rows,
  onRows: (firstRow: number, values: Float64Array) => void,
): void {
  const math = matrixMath();
  const most = rowsAtOnce(Math.max(a.stride, b.stride));
  const atOnce = rowsAtOnce(b.stride);
  const [raw, left, right, sums] = math.reserve(
    Math.max(most * a.stride, atOnce * b.stride),
    most * a.stride,
    b.rows * b.stride,
    most * b.stride,
  );
  const panels = { at: right, count: b.stride / 4, step: 4 * b.rows };
  for (let first = 0; first < b.rows; first += atOnce) {
    const rows = Math.min(atOnce, b.rows - first);
    copyRows(b, first, rows, raw);
    math.packColumns(raw, rows, panels, first);
  }
  for (let first = 0; first < a.rows; first += most) {
    const rows = Math.min(most, a.rows - first);
    copyRows(a, first, rows, raw);
    // Rows up to a multiple of four hold anything: so do their sums, which nobody reads.
    const one = { at: left, count: Math.ceil(rows / 4), step: 4 * a.stride };
    math.packRows(raw, one);
    zeroed(sums, 4 * one.count * b.stride);
    math.multiply(one, panels, b.rows, sums);
    onRows(first, math.view(sums, rows * b.stride));
  }
}

/** A multiple of four. */
function rowsAtOnce(stride: number): number {
  return 4 * Math.max(1, Math.floor(AT_ONCE / (4 * Math.max(1, stride))));
}

interface Packed {
  readonly matrix: Rows;
  readonly first: number;
  readonly rows: number;
  /** Room for the rows as they are, and as panels. */
  readonly raw: number;
  readonly at: number;
}

function packedColumns({ matrix, first, rows, raw, at }: Packed): Panels {
  const panels = { at, count: matrix.stride / 4, step: 4 * rows };
  copyRows(matrix, first, rows, raw);
  matrixMath().packColumns(raw, rows, panels);
  return panels;
}

function copyRows({ stride, data }: Rows, first: number, rows: number, to: number): void {
  const from = first * stride;
  matrixMath()
    .view(to, rows * stride)
    .set(data.subarray(from, from + rows * stride));
}

function zeroed(at: number, count: number): Float64Array {
  return matrixMath().view(at, count).fill(0);
}

function copied(values: Float64Array, rows: number, columns: number): Rows {
  const out = zeroRows(rows, columns);
  out.data.set(values.subarray(0, rows * out.stride));
  return out;
}
