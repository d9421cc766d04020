/**
 * One thread's memory for products and rotations of float64 matrices, and the loops over it
 * (assembly/matrix.ts). Counts, strides and places are in elements.
 */
import base64 from './assembly/matrix.ts?assembly';
import { type Assembly, exportsOf, growTo } from './instance';

/** What assembly/matrix.ts exports. */
interface Loops extends Assembly {
  packColumns(from: number, stride: number, rows: number, to: number, panel: number): void;
  packRows(from: number, stride: number, rows: number, to: number): void;
  multiply(
    a: number,
    aPanel: number,
    aPanels: number,
    b: number,
    bPanel: number,
    bPanels: number,
    count: number,
    out: number,
    upper: boolean,
  ): void;
  sweep(
    x: number,
    columns: number,
    height: number,
    length: number,
    squares: number,
    tolerance: number,
  ): number;
}

/** Panels of four columns or rows each, entry by entry, in this memory. */
export interface Panels {
  readonly at: number;
  readonly count: number;
  /** From one panel to the next. */
  readonly step: number;
}

const BYTES = Float64Array.BYTES_PER_ELEMENT;
/** The first page is left to the module itself. */
const FIRST = 2 ** 16 / BYTES;

export class MatrixMath {
  readonly #loops = exportsOf(base64) as unknown as Loops;
  #elements = new Float64Array(this.#loops.memory.buffer);

  /** Room for so many elements each; what lay there before counts no longer, and is anything. */
  reserve<Counts extends readonly number[]>(...counts: Counts): { [K in keyof Counts]: number } {
    let end = FIRST;
    const places = counts.map((count) => {
      const at = end;
      end += count + (count % 2);
      return at;
    }) as { [K in keyof Counts]: number };
    growTo(this.#loops.memory, end * BYTES);
    if (this.#elements.length === 0) this.#elements = new Float64Array(this.#loops.memory.buffer);
    return places;
  }

  /** A view, void after the next `reserve`. */
  view(at: number, count: number): Float64Array<ArrayBuffer> {
    return this.#elements.subarray(at, at + count);
  }

  /** Rows, a multiple of four entries each, as rows [first, first + rows) of panels of columns. */
  packColumns(from: number, rows: number, panels: Panels, first = 0): void {
    const stride = 4 * panels.count;
    const to = panels.at + 4 * first;
    this.#loops.packColumns(
      ...([from * BYTES, stride * BYTES, rows, to * BYTES, panels.step * BYTES] as const),
    );
  }

  /** Rows, a multiple of four, as panels of rows; `step` is four times a row. */
  packRows(from: number, panels: Panels): void {
    const stride = panels.step / 4;
    this.#loops.packRows(from * BYTES, stride * BYTES, 4 * panels.count, panels.at * BYTES);
  }

  /**
   * Adds a product to `out`, row-major, 4 a.count x 4 b.count: entries in order, one by one.
   *
   * @param count entries that are summed, at most those of both
   * @param upper leaves out most that lies below the diagonal
   */
  multiply(a: Panels, b: Panels, count: number, out: number, upper = false): void {
    this.#loops.multiply(
      ...([a.at * BYTES, a.step * BYTES, a.count] as const),
      ...([b.at * BYTES, b.step * BYTES, b.count] as const),
      ...([count, out * BYTES, upper] as const),
    );
  }

  /**
   * One round of one-sided Jacobi over columns of `height` entries, orthogonal in the first
   * `length`; both even.
   *
   * @returns whether a pair was rotated
   */
  sweep(
    x: number,
    { columns, height, length }: { columns: number; height: number; length: number },
    squares: number,
    tolerance: number,
  ): boolean {
    const [at, room] = [x * BYTES, squares * BYTES];
    return this.#loops.sweep(at, columns, height, length, room, tolerance) !== 0;
  }
}
