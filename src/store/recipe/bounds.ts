/** Ranges and steps of the recipe's numbers; what a control shows and what a link may carry. */
import { type Bounds } from '@/methods/parameters';
import { type RankChoice } from '@/methods/peru-lora';
import { type RankLimits } from './rank-limits';

export type { Bounds };

/** m in percent. */
export const KEPT_PERCENT: Bounds = { min: 0, max: 100, sliderMax: 20, step: 0.1, decimals: 2 };

/** q, whatever the group; `rankBounds` ends where its adapters do. */
export const RANK: Bounds = { min: 1, max: 256, sliderMax: 256, step: 1, decimals: 0 };

/** Most triplets of any module of a LoRA file. */
export const CAP: Bounds = { min: 1, max: 1024, sliderMax: 1024, step: 1, decimals: 0 };

/** Of a LoRA file in a sum. */
export const WEIGHT: Bounds = { min: -10, max: 10, sliderMax: 2, step: 0.05, decimals: 3 };

/** Kept energy in percent of each module's squared norm. */
export const ENERGY: Bounds = { min: 50, max: 100, sliderMax: 100, step: 0.5, decimals: 2 };

/** Kept share of each module's Frobenius norm. */
export const FRO: Bounds = { min: 0.3, max: 1, sliderMax: 1, step: 0.01, decimals: 3 };

/** Largest singular value over the smallest that is kept. */
export const RATIO: Bounds = { min: 1, max: 1000, sliderMax: 50, step: 0.5, decimals: 2 };

/** Bytes of triplets over all tasks, whatever the group; see `budgetBounds`. */
export const BUDGET: Bounds = { min: 0, max: 2 ** 40, sliderMax: 2 ** 40, step: 1, decimals: 0 };

/** q of a group: no module has more than `maxRank` triplets. */
export function rankBounds({ maxRank }: RankLimits): Bounds {
  const max = Math.max(RANK.min, Math.min(RANK.max, maxRank));
  return { ...RANK, max, sliderMax: max };
}

/** From one triplet in each adapted module to all of them, in about a hundred round steps. */
export function budgetBounds({ leastBytes: least, fullBytes: full }: RankLimits): Bounds {
  const step = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, full)) - 2));
  const max = Math.max(step, Math.ceil(full / step) * step);
  const min = Math.min(max, Math.max(step, Math.ceil(least / step) * step));
  return { min, max, sliderMax: max, step, decimals: 0 };
}

/** The choice a mode starts from; 0.9 and 20 are what sd-scripts' users start from. */
export function startingRank(by: RankChoice['by'], limits: RankLimits | null): RankChoice {
  switch (by) {
    case 'count':
      return withinGroup({ by, q: 8 }, limits);
    case 'energy':
      return { by, percent: 95 };
    case 'fro':
      return { by, share: 0.9 };
    case 'ratio':
      return { by, ratio: 20 };
    case 'bytes': {
      const { max, step } = limits === null ? BUDGET : budgetBounds(limits);
      return withinGroup({ by, budget: Math.round(max / 2 / step) * step }, limits);
    }
  }
}

/** The choice with its number inside what the open group can have; unbounded before. */
export function withinGroup(rank: RankChoice, limits: RankLimits | null): RankChoice {
  switch (rank.by) {
    case 'count': {
      const bounds = limits === null ? RANK : rankBounds(limits);
      return { by: rank.by, q: withinBounds(bounds, rank.q) ?? bounds.min };
    }
    case 'energy':
      return { by: rank.by, percent: withinBounds(ENERGY, rank.percent) ?? ENERGY.max };
    case 'fro':
      return { by: rank.by, share: withinBounds(FRO, rank.share) ?? FRO.max };
    case 'ratio':
      return { by: rank.by, ratio: withinBounds(RATIO, rank.ratio) ?? RATIO.max };
    case 'bytes': {
      const bounds = limits === null ? BUDGET : budgetBounds(limits);
      return { by: rank.by, budget: withinBounds(bounds, rank.budget) ?? bounds.max };
    }
  }
}

/** The nearest value the bounds allow, or null for what is no number. */
export function withinBounds(bounds: Bounds, value: number): number | null {
  if (!Number.isFinite(value)) return null;
  const clamped = Math.min(bounds.max, Math.max(bounds.min, value));
  const scale = 10 ** bounds.decimals;
  return Math.round(clamped * scale) / scale;
}

/** Where the thumb stands between the slider's ends, 0..1. */
export function sliderPosition({ min, sliderMax }: Bounds, value: number): number {
  if (sliderMax <= min) return 1;
  return Math.min(1, Math.max(0, (value - min) / (sliderMax - min)));
}

/** The same range in a larger unit, for people; decimals as the step needs. */
export function inUnit({ min, max, sliderMax, step, decimals }: Bounds, unit: number): Bounds {
  const scaled = [min, max, sliderMax, step].map((value) => value / unit);
  const [least = 0, most = 0, end = 0, by = 1] = scaled;
  return { min: least, max: most, sliderMax: end, step: by, decimals: decimals + Math.log10(unit) };
}
