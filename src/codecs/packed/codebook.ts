/**
 * A task's magnitudes: the few that its kept |u| are rounded to, with the least sum of squared errors
 * (Lloyd, 1982; Max, 1960), found from counts of finely cut magnitudes.
 */

/** A magnitude's float32 bits, but for the last 15: 256 bins an octave. */
const BIN_SHIFT = 15;
const BINS = 2 ** (31 - BIN_SHIFT);
/** Bins of infinity and NaN begin here. */
const FINITE_BINS = 0x7f80_0000 >>> BIN_SHIFT;
/** Of 8 magnitudes the error is then within 0.2 % of the least (found on the demo's task vectors). */
const ROUNDS = 60;

/** Counts |u|, tensor by tensor; zeros, NaN and infinity have no part in a codebook. */
export class MagnitudeCounts {
  readonly #counts = new Float64Array(BINS);
  readonly #sums = new Float64Array(BINS);

  add(values: Float32Array): void {
    const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
    for (let i = 0; i < bits.length; i++) {
      const bin = (bits[i]! & 0x7fff_ffff) >>> BIN_SHIFT;
      this.#counts[bin]! += 1;
      this.#sums[bin]! += Math.abs(values[i]!);
    }
  }

  /**
   * @param levels how many
   * @returns float32, ascending; repeated where there are fewer different ones
   */
  codebook(levels: number): Float32Array<ArrayBuffer> {
    const bins = this.#finiteBins();
    const count = bins.reduce((sum, bin) => sum + bin.count, 0);
    // Quantiles to begin with.
    let magnitudes = Float64Array.from({ length: levels }, (_, level) =>
      quantile(bins, ((level + 0.5) / levels) * count),
    );
    for (let round = 0; round < ROUNDS; round++) magnitudes = centroids(bins, magnitudes);
    return Float32Array.from(magnitudes);
  }

  #finiteBins(): Bin[] {
    const bins: Bin[] = [];
    for (let bin = 0; bin < FINITE_BINS; bin++) {
      const [count, sum] = [this.#counts[bin]!, this.#sums[bin]!];
      if (sum > 0) bins.push({ count, sum });
    }
    return bins;
  }
}

interface Bin {
  readonly count: number;
  readonly sum: number;
}

function quantile(bins: readonly Bin[], rank: number): number {
  let below = 0;
  for (const { count, sum } of bins) {
    below += count;
    if (below >= rank) return sum / count;
  }
  return 0;
}

/** Means of what is nearest to each; those that nothing is nearest to stay. */
function centroids(bins: readonly Bin[], magnitudes: Float64Array): Float64Array<ArrayBuffer> {
  const counts = new Float64Array(magnitudes.length);
  const sums = new Float64Array(magnitudes.length);
  let level = 0;
  for (const { count, sum } of bins) {
    const mean = sum / count;
    while (
      level + 1 < magnitudes.length &&
      mean - magnitudes[level]! > magnitudes[level + 1]! - mean
    ) {
      level += 1;
    }
    counts[level]! += count;
    sums[level]! += sum;
  }
  return magnitudes.map((magnitude, i) => (counts[i]! > 0 ? sums[i]! / counts[i]! : magnitude));
}

/** From which |u| on the next magnitude is nearer: one fewer than magnitudes, float32. */
export function decisionBounds(codebook: Float32Array): Float32Array {
  return Float32Array.from(
    { length: codebook.length - 1 },
    (_, level) => (codebook[level]! + codebook[level + 1]!) / 2,
  );
}
