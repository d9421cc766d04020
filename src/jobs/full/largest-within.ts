/** Searches over whole numbers, where every look costs a pass over weights. */

/** Files that take no less than this share of the budget are full. */
const FULL = 0.99;
/** Below the budget by as much as a guess is usually off. */
const AIM = 0.997;
const MOST_LOOKS = 16;
/** Steps apart by less than this are one: accuracy does not tell them apart. */
const NEAR = 1.04;

export interface Search {
  readonly limit: number;
  /** The largest number there is. */
  readonly steps: number;
  /** What the value is expected to be, growing with the number; its scale is learned. */
  readonly guess: (step: number) => number;
}

/**
 * The largest number, or one next to it, whose value is within a limit. Values grow with numbers.
 *
 * @returns 0 where there is none
 */
export async function largestWithin(
  valueAt: (step: number) => Promise<number>,
  { limit, steps, guess }: Search,
): Promise<number> {
  let [within, beyond, scale] = [0, steps + 1, 1];
  for (let looks = 0; beyond - within > 1 && looks < MOST_LOOKS; looks++) {
    // Guesses that come no nearer are helped by halving.
    const guessed = largestGuess((AIM * limit) / scale, { steps, guess });
    const middle = Math.floor(Math.sqrt(Math.max(1, within) * beyond));
    const next = looks % 4 === 3 ? middle : guessed;
    const step = Math.min(beyond - 1, Math.max(within + 1, next));
    const value = await valueAt(step);
    scale = value / guess(step);
    if (value > limit) beyond = step;
    else {
      within = step;
      if (value >= FULL * limit) break;
    }
  }
  return within;
}

function largestGuess(limit: number, { steps, guess }: Pick<Search, 'steps' | 'guess'>): number {
  let [within, beyond] = [0, steps + 1];
  while (beyond - within > 1) {
    const middle = (within + beyond) >> 1;
    if (guess(middle) <= limit) within = middle;
    else beyond = middle;
  }
  return within;
}

/**
 * A number that reaches a goal while one a little smaller does not, from `first` upwards by doubling, then
 * between the two.
 *
 * @returns null where the largest does not
 */
export async function leastReaching(
  reaches: (step: number) => Promise<boolean>,
  { first, steps }: { readonly first: number; readonly steps: number },
): Promise<number | null> {
  let [short, long] = [1, first];
  while (!(await reaches(long))) {
    if (long === steps) return null;
    short = long;
    long = Math.min(steps, 2 * long);
  }
  while (long / short > NEAR && long - short > 1) {
    const middle = Math.min(long - 1, Math.max(short + 1, Math.round(Math.sqrt(short * long))));
    if (await reaches(middle)) long = middle;
    else short = middle;
  }
  return long;
}
