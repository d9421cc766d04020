/** Products as they are sent to other threads: in runs of about equal work, cut by rows, copied. */
import { bytesPerElement } from '@/tensor/dtype';
import { type Factor, type LowRankProduct } from '@/tensor/low-rank';
import { columnsOf } from './factors';

/** Multiply-adds of a run of products: some 8 ms, far more than asking a thread takes. */
const RUN_WORK = 2 ** 23;
/** Multiply-adds of a part of a weight: some 20 ms. */
const PART_WORK = 2 ** 25;
/** Rotations of Jacobi on R columns take about so many times R³ multiply-adds. */
const JACOBI_WORK = 16;

/** Indices of products in runs, in order. */
export function runsOf(products: readonly LowRankProduct[]): number[][] {
  const runs: number[][] = [];
  let work = Infinity;
  products.forEach((product, index) => {
    if (work >= RUN_WORK) {
      runs.push([]);
      work = 0;
    }
    runs.at(-1)!.push(index);
    work += workOf(product);
  });
  return runs;
}

function workOf(product: LowRankProduct): number {
  const { rows, columns } = product;
  const width = columnsOf(product);
  return 2 * (rows + columns) * width ** 2 + JACOBI_WORK * Math.min(width, rows, columns) ** 3;
}

/** Rows of a weight that are added as one, of which each thread has one at a time. */
export function rowsOfPart(product: LowRankProduct): number {
  return Math.max(16, Math.floor(PART_WORK / (product.columns * Math.max(1, columnsOf(product)))));
}

/** The same product over memory of its own, which can be given away. */
export function copyOf(product: LowRankProduct): LowRankProduct {
  return rowsOfProduct(product, 0, product.rows);
}

/** Rows [first, end) of a product, which are a product; a copy. */
export function rowsOfProduct(product: LowRankProduct, first: number, end: number): LowRankProduct {
  const { name, rows, columns, terms } = product;
  return {
    ...{ name, columns, rows: end - first },
    terms: terms.map(({ rank, coefficient, left, right }) => ({
      ...{ rank, coefficient, right: { ...right, bytes: right.bytes.slice() } },
      left: { ...left, bytes: entriesOf(left, rows, rank, first, end) },
    })),
  };
}

/** Entries [first, end) of all vectors of a factor. */
function entriesOf(
  { bytes, dtype, vectors }: Factor,
  length: number,
  rank: number,
  first: number,
  end: number,
): Uint8Array<ArrayBuffer> {
  const size = bytesPerElement(dtype);
  if (vectors === 'columns') return bytes.slice(first * rank * size, end * rank * size);
  const out = new Uint8Array((end - first) * rank * size);
  for (let k = 0; k < rank; k++) {
    const vector = bytes.subarray((k * length + first) * size, (k * length + end) * size);
    out.set(vector, k * (end - first) * size);
  }
  return out;
}
