/** Numbers that a method takes, as controls, links and files hold them. */

export interface Bounds {
  readonly min: number;
  /** Most that a number field, a link or a file may ask. */
  readonly max: number;
  /** Right end of the slider. */
  readonly sliderMax: number;
  readonly step: number;
  /** Decimals kept, so that ids such as `peru-fft@0.3` stay readable. */
  readonly decimals: number;
}

export interface Parameter {
  readonly symbol: string;
  readonly label: string;
  readonly bounds: Bounds;
  /** Of a group that recommends none. */
  readonly default: number;
}

/** What mergers take. Each is a field of this name in the recipe, in links and in recipe.json. */
export const MERGE_PARAMETERS = {
  lambda: {
    symbol: 'λ',
    label: 'Coefficient λ',
    bounds: { min: 0, max: 2, sliderMax: 1, step: 0.01, decimals: 3 },
    default: 0.3,
  },
} as const satisfies Record<string, Parameter>;

export type MergeParameter = keyof typeof MERGE_PARAMETERS;
