/** What restores a tensor's norm: kept values are its largest, and all of u is longer than they are. */
import { type ValueScale } from './value-codec';

/** Longer vectors are no better: most of what is left out of them is noise. */
const MOST = 2;
/**
 * Steps of the gain. Sums of squares differ in their last bits from engine to engine; on a grid as
 * coarse as this they give one gain, and one file.
 */
const GRID = 32;
/** Squares below it are rounding in float32. */
const LEAST_ENERGY = 2 ** -100;

/**
 * ‖u‖ / ‖kept u‖ of a tensor, at most 2, rounded to a 32nd; 1 where nothing or all is kept, or energies
 * are beyond float32.
 *
 * @param kept sum of squares of the kept u, about 1e-6 exact
 * @param total the same of all u
 */
export function normGain(kept: number, total: number): number {
  const gain = Math.sqrt(total / kept);
  if (!(kept >= LEAST_ENERGY && gain >= 1 && total < 2 ** 127)) return 1;
  return Math.min(MOST, Math.round(GRID * gain) / GRID);
}

/** The same stored values, longer by a gain when they are read. */
export function rescaled({ inverse, step }: ValueScale, gain: number): ValueScale {
  return { inverse, step: Math.fround(step * gain) };
}
