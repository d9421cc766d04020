/**
 * What the slider shows while it moves: entries kept and their share of the energy, from the
 * 2048-bin histogram of |u| that the engine counts once a merge. Pure arithmetic, no GPU.
 */
import { keptCount } from '@/tensor/kept-count';

/** Bins of the histogram: the top 11 of the 31 magnitude bits. */
const BIN_COUNT = 2048;

/** First bin whose magnitudes are Inf or NaN (exponent 255): it has no energy to speak of. */
const FIRST_NON_FINITE_BIN = 255 << 3;

const MAX_FLOAT32 = 3.4028234663852886e38;

export interface KeptShare {
  /** Exactly the entries kept. */
  readonly kept: number;
  /** Estimated share of the squared norm of u, 0..1. */
  readonly energyShare: number;
  /** The true share lies within these, whatever the values inside the bins. */
  readonly low: number;
  readonly high: number;
}

/** A histogram summed from the largest magnitudes down; index i covers the bins above bin i. */
export interface EnergyCurve {
  readonly elementCount: number;
  /** Entries in bins i.. 2047; length 2049, the last is 0. */
  readonly countFrom: Float64Array;
  /** Their energy with every entry at its bin's lower edge, mean square, upper edge. */
  readonly lowFrom: Float64Array;
  readonly meanFrom: Float64Array;
  readonly highFrom: Float64Array;
  /** Entries that are Inf or NaN: with any, no share of the energy is defined. */
  readonly nonFiniteCount: number;
}

/**
 * Sums a histogram from the top once, so that every slider position is a binary search.
 *
 * @param counts 2048 counts; bin b holds magnitudes in [f32(b << 20), f32((b + 1) << 20))
 */
export function energyCurve(counts: ArrayLike<number>): EnergyCurve {
  const countFrom = new Float64Array(BIN_COUNT + 1);
  const lowFrom = new Float64Array(BIN_COUNT + 1);
  const meanFrom = new Float64Array(BIN_COUNT + 1);
  const highFrom = new Float64Array(BIN_COUNT + 1);
  for (let bin = BIN_COUNT - 1; bin >= 0; bin--) {
    const count = counts[bin] ?? 0;
    const { low, high } = binEdges(bin);
    countFrom[bin] = at(countFrom, bin + 1) + count;
    lowFrom[bin] = at(lowFrom, bin + 1) + count * low * low;
    meanFrom[bin] = at(meanFrom, bin + 1) + count * meanSquare(bin, low, high);
    highFrom[bin] = at(highFrom, bin + 1) + count * high * high;
  }
  const nonFiniteCount = at(countFrom, FIRST_NON_FINITE_BIN);
  return { elementCount: at(countFrom, 0), countFrom, lowFrom, meanFrom, highFrom, nonFiniteCount };
}

/**
 * Kept entries and energy of a global top-m % selection. Whole bins above the threshold count in
 * full; in the threshold's bin the magnitudes are taken as evenly spread, and the largest kept.
 *
 * The bound: kept energy K and the rest R are each known to within their bins' edges, and
 * K / (K + R) grows with K and falls with R, so the ends are K_low / (K_low + R_high) and
 * K_high / (K_high + R_low). A bin spans a factor of 1.125 at most above the subnormals.
 *
 * @param percent m, 0..100
 */
export function keptShare(curve: EnergyCurve, percent: number): KeptShare {
  const kept = keptCount(percent, curve.elementCount);
  const bin = thresholdBin(curve.countFrom, kept);
  const inBin = at(curve.countFrom, bin) - at(curve.countFrom, bin + 1);
  const keptInBin = kept - at(curve.countFrom, bin + 1);
  const { low, high } = binEdges(bin);
  const share = inBin === 0 ? 0 : keptInBin / inBin;
  const lowestKept = high - share * (high - low);

  const keptMean = at(curve.meanFrom, bin + 1) + keptInBin * meanSquare(bin, lowestKept, high);
  const restMean =
    at(curve.meanFrom, 0) -
    at(curve.meanFrom, bin) +
    (inBin - keptInBin) * meanSquare(bin, low, lowestKept);
  const keptLow = at(curve.lowFrom, bin + 1) + keptInBin * low * low;
  const keptHigh = at(curve.highFrom, bin + 1) + keptInBin * high * high;
  const restLow = at(curve.lowFrom, 0) - at(curve.lowFrom, bin) + (inBin - keptInBin) * low * low;
  const restHigh =
    at(curve.highFrom, 0) - at(curve.highFrom, bin) + (inBin - keptInBin) * high * high;

  return {
    kept,
    energyShare: ratio(keptMean, restMean),
    low: ratio(keptLow, restHigh),
    high: ratio(keptHigh, restLow),
  };
}

/** K / (K + R), 1 where there is no energy at all to lose, as the engine reports it. */
function ratio(kept: number, rest: number): number {
  const total = kept + Math.max(0, rest);
  return total <= 0 ? 1 : Math.min(1, Math.max(0, kept / total));
}

/** The bin that holds the kept-th largest magnitude: the last whose count from above reaches it. */
function thresholdBin(countFrom: Float64Array, kept: number): number {
  let low = 0;
  let high = BIN_COUNT - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (at(countFrom, middle) >= kept) low = middle;
    else high = middle - 1;
  }
  return low;
}

/**
 * Mean of x^2 for x spread evenly over low..high. Bin 0 holds the zeros, and nothing above 1.5e-39:
 * it counts as zero.
 */
function meanSquare(bin: number, low: number, high: number): number {
  return bin === 0 ? 0 : (low * low + low * high + high * high) / 3;
}

const bits = new Uint32Array(1);
const asFloat = new Float32Array(bits.buffer);

/** The float32 with these bits, in 0..largest finite. */
function floatOf(pattern: number): number {
  bits[0] = pattern;
  const value = asFloat[0] ?? 0;
  return Number.isFinite(value) ? value : MAX_FLOAT32;
}

const EDGES: readonly { readonly low: number; readonly high: number }[] = Array.from(
  { length: BIN_COUNT },
  (_, bin) =>
    bin >= FIRST_NON_FINITE_BIN
      ? { low: 0, high: 0 }
      : { low: floatOf(bin * 2 ** 20), high: floatOf((bin + 1) * 2 ** 20) },
);

function binEdges(bin: number): { readonly low: number; readonly high: number } {
  return EDGES[bin] ?? { low: 0, high: 0 };
}

function at(sums: Float64Array, index: number): number {
  return sums[index] ?? 0;
}
