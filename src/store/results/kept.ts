/** Kept entries and energy per task at the slider's m: estimated while it moves, then exact. Pure. */
import { type EnergyCurve, energyCurve, keptShare } from './kept-from-histogram';
import { sparseMethodId } from '@/recipe/parsed-method';
import { keptCount } from '@/tensor/kept-count';
import { type Recipe } from '@/recipe/recipe';
import { type ByMethod, type SparseFacts } from '@/store/state/results';

export type KeptEntries = KeptEnergy | UndefinedEnergy;

export interface KeptEnergy {
  readonly kept: number;
  /** Share of the squared norm kept, 0..1. */
  readonly energyShare: number;
  /**
   * `exact`: counted by the engine. `estimate`: from the histogram, within `low`..`high`.
   * `at-most`: a ranking per tensor keeps no more energy than the global one estimated here.
   */
  readonly basis: 'exact' | 'estimate' | 'at-most';
  readonly low: number;
  readonly high: number;
}

/** NaN or Inf inside: entries are kept, but no share of their energy can be told. */
export interface UndefinedEnergy {
  readonly kept: number;
  readonly energyShare: null;
  readonly basis: 'not-defined';
}

/** One curve a task; built once a merge. */
export function energyCurves(
  histograms: Readonly<Record<string, Uint32Array>>,
): ReadonlyMap<string, EnergyCurve> {
  return new Map(Object.entries(histograms).map(([task, counts]) => [task, energyCurve(counts)]));
}

/** What one task keeps at the recipe's m; null before its histogram has come. */
export function keptOf(
  task: string,
  recipe: Recipe,
  curves: ReadonlyMap<string, EnergyCurve>,
  sparse: ByMethod<SparseFacts>,
): KeptEntries | null {
  const facts = sparse[sparseMethodId('peru-fft', recipe.keptPercent)]?.[task];
  if (facts !== undefined) {
    const { kept, energyShare } = facts;
    if (energyShare === null) return { kept, energyShare, basis: 'not-defined' };
    return { kept, energyShare, basis: 'exact', low: energyShare, high: energyShare };
  }
  const curve = curves.get(task);
  if (curve === undefined) return null;
  const share = keptShare(curve, recipe.keptPercent);
  if (curve.nonFiniteCount > 0) {
    return { kept: share.kept, energyShare: null, basis: 'not-defined' };
  }
  return { ...share, basis: recipe.scope === 'global' ? 'estimate' : 'at-most' };
}

/**
 * Kept energy averaged over the tasks at each m from 0 to `maxPercent`, for the curve above the
 * slider. Empty before the histograms have come, and where NaN or Inf leaves a task without one.
 */
export function meanEnergyCurve(
  curves: ReadonlyMap<string, EnergyCurve>,
  maxPercent: number,
  steps: number,
): readonly number[] {
  const all = [...curves.values()];
  if (all.length === 0 || all.some(({ nonFiniteCount }) => nonFiniteCount > 0)) return [];
  return Array.from({ length: steps + 1 }, (_, step) => {
    const percent = (maxPercent * step) / steps;
    return all.reduce((sum, curve) => sum + keptShare(curve, percent).energyShare, 0) / all.length;
  });
}

/** k of N for one task: exact for a global ranking, within a rounding a tensor for the other. */
export function keptOfTotal(recipe: Recipe, elementCount: number): number {
  return keptCount(recipe.keptPercent, elementCount);
}
