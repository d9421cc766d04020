/**
 * Loops over one block of elements, four or eight at a time (WebAssembly SIMD), for the processor
 * engine. Twins of shaders/: the same float32 operations in the same order, nothing fused.
 *
 * Written in AssemblyScript and compiled by scripts/assembly-plugin.mjs; called by ../block-math.ts,
 * which lays out the memory. Pointers are bytes and multiples of 16. Loops that write values may go
 * on to a multiple of eight elements: there is room, and what lies there counts for nobody.
 *
 * Measured in Node 20 on one core, ns an element, beside the same loops over typed arrays: task
 * vector of two F16 checkpoints 0.7 (5), one task of a merge 0.5 (5), ties 0.1 (0.9).
 */

/** Codes of the dtypes, as ../block-math.ts gives them. */
const BF16: i32 = 2;

/** Bits of a float32 but its sign. */
const MAGNITUDE: i32 = 0x7fffffff;
const INFINITY_BITS: i32 = 0x7f800000;

/**
 * Finite F16, sign-extended to words, to float32: sign, exponent and fraction, moved to where float32
 * has them, times 2^112 are the value, subnormals included.
 */
function widenFinite(words: v128): v128 {
  const moved = v128.and(v128.shl<u32>(words, 13), i32x4.splat(0x8fffe000));
  return f32x4.mul(moved, f32x4.splat(<f32>5.192296858534828e33));
}

/** The same of any F16: Inf and NaN need their exponent set. */
function widenAny(words: v128): v128 {
  const moved = v128.and(v128.shl<u32>(words, 13), i32x4.splat(0x8fffe000));
  const exponent = i32x4.splat(0x0f800000);
  const isSpecial = i32x4.eq(v128.and(moved, exponent), exponent);
  // Of the product of a special value only sign and fraction are wanted: they are moved's own.
  const special = v128.or(moved, i32x4.splat(INFINITY_BITS));
  return v128.bitselect(special, widenFinite(words), isSpecial);
}

/** Float32 to F16 in the low half of each word: nearest, ties to even. */
function narrowF16(bits: v128): v128 {
  const sign = v128.and(v128.shr<u32>(bits, 16), i32x4.splat(0x8000));
  const magnitude = v128.and(bits, i32x4.splat(MAGNITUDE));
  const odd = v128.and(v128.shr<u32>(magnitude, 13), i32x4.splat(1));
  const rounded = i32x4.add(i32x4.add(magnitude, i32x4.splat(0xfff - 0x38000000)), odd);
  const normal = v128.shr<u32>(rounded, 13);
  // Next to 0.5 a float32's last bit is 2^-24, F16's smallest subnormal: the sum rounds to it.
  const half = i32x4.splat(0x3f000000);
  const subnormal = i32x4.sub(f32x4.add(magnitude, half), half);
  let to = v128.bitselect(normal, subnormal, i32x4.ge_s(magnitude, i32x4.splat(0x38800000)));
  const overflows = i32x4.ge_s(magnitude, i32x4.splat(0x477ff000));
  to = v128.bitselect(i32x4.splat(0x7c00), to, overflows);
  const isNan = i32x4.gt_s(magnitude, i32x4.splat(INFINITY_BITS));
  return v128.or(v128.bitselect(i32x4.splat(0x7e00), to, isNan), sign);
}

function narrowBf16(bits: v128): v128 {
  const upper = v128.shr<u32>(bits, 16);
  const odd = v128.and(upper, i32x4.splat(1));
  const rounded = v128.shr<u32>(i32x4.add(i32x4.add(bits, i32x4.splat(0x7fff)), odd), 16);
  const quiet = v128.or(upper, i32x4.splat(0x40));
  const magnitude = v128.and(bits, i32x4.splat(MAGNITUDE));
  return v128.bitselect(quiet, rounded, i32x4.gt_s(magnitude, i32x4.splat(INFINITY_BITS)));
}

/** Halves to float32, bit for bit what they hold. */
export function widen(dtype: i32, from: usize, to: usize, count: i32): void {
  if (dtype == BF16) widenBf16(from, to, count);
  else widenF16(from, to, count);
}

function widenBf16(from: usize, to: usize, count: i32): void {
  for (let i = 0; i < count; i += 8) {
    const halves = v128.load(from + (i << 1));
    const at = to + (i << 2);
    v128.store(at, v128.shl<u32>(i32x4.extend_low_i16x8_u(halves), 16));
    v128.store(at + 16, v128.shl<u32>(i32x4.extend_high_i16x8_u(halves), 16));
  }
}

function widenF16(from: usize, to: usize, count: i32): void {
  const exponent = i16x8.splat(0x7c00);
  for (let i = 0; i < count; i += 8) {
    const halves = v128.load(from + (i << 1));
    const low = i32x4.extend_low_i16x8_s(halves);
    const high = i32x4.extend_high_i16x8_s(halves);
    const at = to + (i << 2);
    if (v128.any_true(i16x8.eq(v128.and(halves, exponent), exponent))) {
      v128.store(at, widenAny(low));
      v128.store(at + 16, widenAny(high));
    } else {
      v128.store(at, widenFinite(low));
      v128.store(at + 16, widenFinite(high));
    }
  }
}

/** Float32 to halves. */
export function narrow(dtype: i32, from: usize, to: usize, count: i32): void {
  for (let i = 0; i < count; i += 8) {
    const at = from + (i << 2);
    const low = v128.load(at);
    const high = v128.load(at + 16);
    const halves =
      dtype == BF16
        ? i16x8.narrow_i32x4_u(narrowBf16(low), narrowBf16(high))
        : i16x8.narrow_i32x4_u(narrowF16(low), narrowF16(high));
    v128.store(to + (i << 1), halves);
  }
}

/** to = a - b. */
export function subtract(a: usize, b: usize, to: usize, count: i32): void {
  const end = count << 2;
  for (let i = 0; i < end; i += 16) {
    v128.store(to + i, f32x4.sub(v128.load(a + i), v128.load(b + i)));
  }
}

/** to = a + b. */
export function add(a: usize, b: usize, to: usize, count: i32): void {
  const end = count << 2;
  for (let i = 0; i < end; i += 16) {
    v128.store(to + i, f32x4.add(v128.load(a + i), v128.load(b + i)));
  }
}

/** sums += coefficient * (a - b), rounded three times. */
export function addScaled(a: usize, b: usize, sums: usize, count: i32, coefficient: f32): void {
  const factor = f32x4.splat(coefficient);
  const end = count << 2;
  for (let i = 0; i < end; i += 16) {
    const moved = f32x4.sub(v128.load(a + i), v128.load(b + i));
    v128.store(sums + i, f32x4.add(v128.load(sums + i), f32x4.mul(factor, moved)));
  }
}

/** Magnitude bits of the float32 at a pointer. */
function keyAt(at: usize): i32 {
  return load<i32>(at) & MAGNITUDE;
}

/** Entries whose key is this one. */
export function countKey(values: usize, count: i32, key: i32): i32 {
  const whole = count & ~3;
  const wanted = i32x4.splat(key);
  let tally = i32x4.splat(0);
  for (let i = 0; i < whole; i += 4) {
    const keys = v128.and(v128.load(values + (i << 2)), i32x4.splat(MAGNITUDE));
    tally = i32x4.sub(tally, i32x4.eq(keys, wanted));
  }
  let sum = i32x4.extract_lane(tally, 0) + i32x4.extract_lane(tally, 1);
  sum += i32x4.extract_lane(tally, 2) + i32x4.extract_lane(tally, 3);
  for (let i = whole; i < count; i++) sum += i32(keyAt(values + (i << 2)) == key);
  return sum;
}

/**
 * Counts keys by their bits from `shift` on: `bins` numbers at `counts`, and room for as many after
 * them. Of neighbours, which often have one digit, one is counted here and one there, so that the
 * second need not wait for the sum that the first has just written.
 */
export function countDigits(values: usize, count: i32, shift: i32, counts: usize, bins: i32): void {
  const others = counts + (bins << 2);
  memory.fill(counts, 0, bins << 3);
  const whole = count & ~3;
  for (let i = 0; i < whole; i += 4) {
    const keys = v128.and(v128.load(values + (i << 2)), i32x4.splat(MAGNITUDE));
    const digits = v128.shl<u32>(v128.shr<u32>(keys, shift), 2);
    countOne(counts + i32x4.extract_lane(digits, 0));
    countOne(others + i32x4.extract_lane(digits, 1));
    countOne(counts + i32x4.extract_lane(digits, 2));
    countOne(others + i32x4.extract_lane(digits, 3));
  }
  for (let i = whole; i < count; i++)
    countOne(counts + ((keyAt(values + (i << 2)) >>> shift) << 2));
  for (let at = counts; at < others; at += 16) {
    v128.store(at, i32x4.add(v128.load(at), v128.load(at + (bins << 2))));
  }
}

function countOne(at: usize): void {
  store<i32>(at, load<i32>(at) + 1);
}

/** Keys whose bits from `shift` on are `prefix`, in order, to `list`. @returns how many */
export function listByPrefix(values: usize, count: i32, shift: i32, prefix: i32, list: usize): i32 {
  const whole = count & ~3;
  const wanted = i32x4.splat(prefix);
  let to = list;
  for (let i = 0; i < whole; i += 4) {
    const at = values + (i << 2);
    const keys = v128.and(v128.load(at), i32x4.splat(MAGNITUDE));
    let found = i32x4.bitmask(i32x4.eq(v128.shr<u32>(keys, shift), wanted));
    for (; found != 0; found &= found - 1) {
      store<i32>(to, keyAt(at + (ctz(found) << 2)));
      to += 4;
    }
  }
  for (let i = whole; i < count; i++) {
    const key = keyAt(values + (i << 2));
    if (key >>> shift != prefix) continue;
    store<i32>(to, key);
    to += 4;
  }
  return <i32>((to - list) >> 2);
}

/**
 * Indices of entries in [start, end) whose key is above a threshold, in order, to `list`.
 *
 * @param threshold from -1, below every key
 * @returns how many
 */
export function listAbove(values: usize, start: i32, end: i32, threshold: i32, list: usize): i32 {
  const whole = start + ((end - start) & ~3);
  const limit = i32x4.splat(threshold);
  let to = list;
  for (let i = start; i < whole; i += 4) {
    const keys = v128.and(v128.load(values + (i << 2)), i32x4.splat(MAGNITUDE));
    let found = i32x4.bitmask(i32x4.gt_s(keys, limit));
    for (; found != 0; found &= found - 1) {
      store<i32>(to, i + ctz(found));
      to += 4;
    }
  }
  for (let i = whole; i < end; i++) {
    if (keyAt(values + (i << 2)) <= threshold) continue;
    store<i32>(to, i);
    to += 4;
  }
  return <i32>((to - list) >> 2);
}

/** Sum of squares in float64: four running sums of every fourth entry, then those in order. */
export function energy(values: usize, count: i32): f64 {
  const whole = count & ~3;
  let even = f64x2.splat(0);
  let odd = f64x2.splat(0);
  for (let i = 0; i < whole; i += 4) {
    const four = v128.load(values + (i << 2));
    const low = f64x2.promote_low_f32x4(four);
    const high = f64x2.promote_low_f32x4(v128.shuffle<f32>(four, four, 2, 3, 2, 3));
    even = f64x2.add(even, f64x2.mul(low, low));
    odd = f64x2.add(odd, f64x2.mul(high, high));
  }
  let sum = f64x2.extract_lane(even, 0) + f64x2.extract_lane(even, 1);
  sum += f64x2.extract_lane(odd, 0) + f64x2.extract_lane(odd, 1);
  for (let i = whole; i < count; i++) {
    const value = <f64>load<f32>(values + (i << 2));
    sum += value * value;
  }
  return sum;
}

/** Halves whose exponent bits are all set. */
export function countSpecialHalves(halves: usize, count: i32, exponent: i32): i32 {
  const whole = count & ~7;
  const mask = i16x8.splat(<i16>exponent);
  let sum = 0;
  for (let i = 0; i < whole; i += 8) {
    const special = i16x8.eq(v128.and(v128.load(halves + (i << 1)), mask), mask);
    if (v128.any_true(special)) sum += popcnt(i16x8.bitmask(special));
  }
  for (let i = whole; i < count; i++) {
    sum += i32(((<i32>load<u16>(halves + (i << 1))) & exponent) == exponent);
  }
  return sum;
}

/** Float32 values whose exponent bits are all set. */
export function countSpecialFloats(values: usize, count: i32): i32 {
  const whole = count & ~3;
  const mask = i32x4.splat(INFINITY_BITS);
  let sum = 0;
  for (let i = 0; i < whole; i += 4) {
    const special = i32x4.eq(v128.and(v128.load(values + (i << 2)), mask), mask);
    if (v128.any_true(special)) sum += popcnt(i32x4.bitmask(special));
  }
  for (let i = whole; i < count; i++) {
    sum += i32((load<i32>(values + (i << 2)) & INFINITY_BITS) == INFINITY_BITS);
  }
  return sum;
}
