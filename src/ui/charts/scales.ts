/** Scales and ticks of the charts. Pure. */

export type Scale = (value: number) => number;

/** Maps low..high to from..to by equal steps. */
export function linearScale(low: number, high: number, from: number, to: number): Scale {
  const span = high - low || 1;
  return (value) => from + ((value - low) / span) * (to - from);
}

/** Maps low..high to from..to by equal factors; both ends above zero. */
export function logScale(low: number, high: number, from: number, to: number): Scale {
  const scale = linearScale(Math.log(low), Math.log(high), from, to);
  return (value) => scale(Math.log(value));
}

/** Steps within a power of ten, from the coarsest; the first that gives four ticks is taken. */
const TICK_STEPS: readonly (readonly number[])[] = [
  [1],
  [1, 3],
  [1, 2, 5],
  [1, 1.5, 2, 3, 5, 7],
  [1, 1.5, 2, 3, 4, 5, 6, 8],
];

/** Round values within low..high, evenly spread on a logarithmic axis; both ends above zero. */
export function logTicks(low: number, high: number): readonly number[] {
  let ticks: readonly number[] = [];
  for (const steps of TICK_STEPS) {
    ticks = steps
      .flatMap((step) => powersOfTen(low, high).map((power) => step * power))
      .filter((tick) => tick >= low && tick <= high)
      .sort((a, b) => a - b);
    if (ticks.length >= 4) return ticks;
  }
  return ticks;
}

/** Drops ticks whose labels would touch: each stands `gap` pixels or more from the one before. */
export function spacedTicks(ticks: readonly number[], scale: Scale, gap: number): number[] {
  const kept: number[] = [];
  for (const tick of ticks) {
    const before = kept.at(-1);
    if (before === undefined || scale(tick) - scale(before) >= gap) kept.push(tick);
  }
  return kept;
}

function powersOfTen(low: number, high: number): readonly number[] {
  const first = Math.floor(Math.log10(low));
  const last = Math.floor(Math.log10(high));
  return Array.from({ length: last - first + 1 }, (_, i) => 10 ** (first + i));
}

/** Bounds of accuracies, 0..1, widened to whole tenths with room for a mark at each end. */
export function accuracyDomain(values: readonly number[]): {
  readonly low: number;
  readonly high: number;
} {
  const low = Math.floor(Math.min(...values) * 10 - 0.2) / 10;
  const high = Math.ceil(Math.max(...values) * 10 + 0.2) / 10;
  return { low: Math.max(0, low), high: Math.min(1, Math.max(high, low + 0.1)) };
}

/** Every tenth from low to high. */
export function tenths(low: number, high: number): readonly number[] {
  const first = Math.round(low * 10);
  return Array.from({ length: Math.round(high * 10) - first + 1 }, (_, i) => (first + i) / 10);
}
