/** Ranges and steps of the recipe's numbers; what a control shows and what a link may carry. */
export interface Bounds {
  readonly min: number;
  /** Most that a number field or a link may ask. */
  readonly max: number;
  /** Right end of the slider. */
  readonly sliderMax: number;
  readonly step: number;
  /** Decimals kept, so that ids such as `peru-fft@0.3` stay readable. */
  readonly decimals: number;
}

/** m in percent. */
export const KEPT_PERCENT: Bounds = { min: 0, max: 100, sliderMax: 20, step: 0.1, decimals: 2 };

/** λ of task arithmetic. */
export const LAMBDA: Bounds = { min: 0, max: 2, sliderMax: 1, step: 0.01, decimals: 3 };

/** The nearest value the bounds allow, or null for what is no number. */
export function withinBounds(bounds: Bounds, value: number): number | null {
  if (!Number.isFinite(value)) return null;
  const clamped = Math.min(bounds.max, Math.max(bounds.min, value));
  const scale = 10 ** bounds.decimals;
  return Math.round(clamped * scale) / scale;
}
