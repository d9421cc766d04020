/**
 * Loops over float64 matrices, two entries at a time (WebAssembly SIMD), for SVDs of low-rank
 * products on the processor.
 *
 * Written in AssemblyScript and compiled by scripts/assembly-plugin.mjs; called by
 * ../matrix-math.ts, which lays out the memory. Pointers are bytes and multiples of 16, steps and
 * strides bytes, too. A panel is four columns, or four rows, entry by entry: what a tile reads from
 * front to back.
 */

/** Bytes of four entries. */
const FOUR: usize = 32;

/** Rows, `stride` from one to the next, to panels of four columns, `panel` from one to the next. */
export function packColumns(from: usize, stride: usize, rows: i32, to: usize, panel: usize): void {
  const end = from + stride;
  for (; from < end; from += FOUR, to += panel) {
    let read = from;
    let write = to;
    for (let i = 0; i < rows; i++, read += stride, write += FOUR) {
      v128.store(write, v128.load(read));
      v128.store(write, v128.load(read, 16), 16);
    }
  }
}

/** Rows, a multiple of four, to panels of four rows, one after the other: four times `stride` each. */
export function packRows(from: usize, stride: usize, rows: i32, to: usize): void {
  for (let i = 0; i < rows; i += 4, from += 3 * stride) {
    for (const end = from + stride; from < end; from += 16, to += 2 * FOUR) {
      packPair(from, from + stride, to);
      packPair(from + 2 * stride, from + 3 * stride, to + 16);
    }
  }
}

/** Two entries of two rows: the first of both, and, four entries later, the second. */
function packPair(row: usize, next: usize, to: usize): void {
  const x = v128.load(row);
  const y = v128.load(next);
  v128.store(to, v128.shuffle<f64>(x, y, 0, 2));
  v128.store(to, v128.shuffle<f64>(x, y, 1, 3), 32);
}

/**
 * out += the product of panels a, by rows of out, and b, by its columns, summed over `count` entries
 * of both in their order. Where `upper`, tiles below out's diagonal are left out.
 */
export function multiply(
  a: usize,
  aPanel: usize,
  aPanels: i32,
  b: usize,
  bPanel: usize,
  bPanels: i32,
  count: i32,
  out: usize,
  upper: bool,
): void {
  const stride = <usize>bPanels * FOUR;
  for (let q = 0; q < bPanels; q++) {
    const panels = upper ? min(q + 1, aPanels) : aPanels;
    for (let p = 0; p < panels; p++) {
      const corner = out + <usize>p * 4 * stride + <usize>q * FOUR;
      addTile(a + <usize>p * aPanel, b + <usize>q * bPanel, count, corner, stride);
    }
  }
}

/** 4 x 4 entries, whose sums stay in registers. */
function addTile(a: usize, b: usize, count: i32, out: usize, stride: usize): void {
  const row1 = out + stride;
  const row2 = row1 + stride;
  const row3 = row2 + stride;
  let s00 = v128.load(out);
  let s01 = v128.load(out, 16);
  let s10 = v128.load(row1);
  let s11 = v128.load(row1, 16);
  let s20 = v128.load(row2);
  let s21 = v128.load(row2, 16);
  let s30 = v128.load(row3);
  let s31 = v128.load(row3, 16);
  for (const end = a + <usize>count * FOUR; a < end; a += FOUR, b += FOUR) {
    const y0 = v128.load(b);
    const y1 = v128.load(b, 16);
    let x = v128.load_splat<f64>(a);
    s00 = f64x2.add(s00, f64x2.mul(x, y0));
    s01 = f64x2.add(s01, f64x2.mul(x, y1));
    x = v128.load_splat<f64>(a, 8);
    s10 = f64x2.add(s10, f64x2.mul(x, y0));
    s11 = f64x2.add(s11, f64x2.mul(x, y1));
    x = v128.load_splat<f64>(a, 16);
    s20 = f64x2.add(s20, f64x2.mul(x, y0));
    s21 = f64x2.add(s21, f64x2.mul(x, y1));
    x = v128.load_splat<f64>(a, 24);
    s30 = f64x2.add(s30, f64x2.mul(x, y0));
    s31 = f64x2.add(s31, f64x2.mul(x, y1));
  }
  v128.store(out, s00);
  v128.store(out, s01, 16);
  v128.store(row1, s10);
  v128.store(row1, s11, 16);
  v128.store(row2, s20);
  v128.store(row2, s21, 16);
  v128.store(row3, s30);
  v128.store(row3, s31, 16);
}

/** Dot product of `count` entries, an even number, in four sums. */
export function dot(x: usize, y: usize, count: i32): f64 {
  let even = f64x2.splat(0);
  let odd = f64x2.splat(0);
  const end = x + ((<usize>count) << 3);
  const whole = x + ((<usize>(count & ~3)) << 3);
  for (; x < whole; x += FOUR, y += FOUR) {
    even = f64x2.add(even, f64x2.mul(v128.load(x), v128.load(y)));
    odd = f64x2.add(odd, f64x2.mul(v128.load(x, 16), v128.load(y, 16)));
  }
  if (x < end) even = f64x2.add(even, f64x2.mul(v128.load(x), v128.load(y)));
  const sum = f64x2.add(even, odd);
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
}

/**
 * One round of one-sided Jacobi over all pairs of `columns` columns, `height` entries each, that are
 * to be orthogonal in their first `length` entries, an even number.
 *
 * @param squares room for as many numbers as columns
 * @param tolerance cosine above which two columns are rotated
 * @returns whether any was
 */
export function sweep(
  x: usize,
  columns: i32,
  height: i32,
  length: i32,
  squares: usize,
  tolerance: f64,
): bool {
  const step = (<usize>height) << 3;
  // Taken anew each sweep; rotations keep them up to date well enough to find the next angle, and a
  // sweep without any, which ends the search, has tested exact ones.
  for (let k = 0; k < columns; k++) {
    const at = x + <usize>k * step;
    store<f64>(squares + ((<usize>k) << 3), dot(at, at, length));
  }
  let rotated = false;
  for (let p = 0; p < columns; p++) {
    for (let q = p + 1; q < columns; q++) {
      const one = x + <usize>p * step;
      const other = x + <usize>q * step;
      const product = dot(one, other, length);
      const pp = squares + ((<usize>p) << 3);
      const qq = squares + ((<usize>q) << 3);
      const lengths = sqrt(load<f64>(pp)) * sqrt(load<f64>(qq));
      if (!(abs(product) > tolerance * lengths)) continue;
      rotatePair(one, other, height, product, pp, qq);
      rotated = true;
    }
  }
  return rotated;
}

/** Makes two columns orthogonal; `pp` and `qq` hold their squares, and are kept up to date. */
function rotatePair(p: usize, q: usize, height: i32, pq: f64, pp: usize, qq: usize): void {
  const zeta = (load<f64>(qq) - load<f64>(pp)) / (2 * pq);
  const tangent = (zeta < 0 ? -1.0 : 1.0) / (abs(zeta) + sqrt(1 + zeta * zeta));
  const cosine = 1 / sqrt(1 + tangent * tangent);
  store<f64>(pp, max(0, load<f64>(pp) - tangent * pq));
  store<f64>(qq, load<f64>(qq) + tangent * pq);
  const c = f64x2.splat(cosine);
  const s = f64x2.splat(cosine * tangent);
  for (const end = p + ((<usize>height) << 3); p < end; p += 16, q += 16) {
    const x = v128.load(p);
    const y = v128.load(q);
    v128.store(p, f64x2.sub(f64x2.mul(c, x), f64x2.mul(s, y)));
    v128.store(q, f64x2.add(f64x2.mul(s, x), f64x2.mul(c, y)));
  }
}
