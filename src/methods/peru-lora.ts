import { type LowRankCompressor } from './method';
import { PERU_PAPER } from './paper';

/**
 * PERU-LoRA: replace each product A_t B_tᵀ of a LoRA adapter by its leading
 * singular triplets. How many a module keeps is one number for all, enough for a share of its
 * energy or norm or for a ratio of its singular values, or whatever a budget of bytes buys over the
 * modules of all tasks.
 */
export const peruLora: LowRankCompressor = {
  title: 'PERU-LoRA',
  paper: PERU_PAPER,
  keeps: 'ranks',
  isBaseline: false,
  instead: null,
  // Each task's own adapter is compressed, whatever is merged.
  dependsOn: [],
};

/** What decides the ranks. */
export type RankChoice =
  /** q for every module, or all it has where that is less. */
  | { readonly by: 'count'; readonly q: number }
  /** Per module, the fewest triplets that hold this share of its squared norm, in percent. */
  | { readonly by: 'energy'; readonly percent: number }
  /**
   * Per module, one triplet more than hold this share of its Frobenius norm, 0..1: as sd-scripts
   * counts with `sv_fro` (networks/resize_lora.py), so that its users get the same ranks.
   */
  | { readonly by: 'fro'; readonly share: number }
  /** Per module, one triplet more than have σ > σ_max / ratio, as sd-scripts' `sv_ratio`. */
  | { readonly by: 'ratio'; readonly ratio: number }
  /** All tasks together: the triplets that leave the least squared error in this many bytes. */
  | { readonly by: 'bytes'; readonly budget: number };

/** The singular values of one adapted module, and what a triplet of it costs. */
export interface ModuleSpectrum {
  /** Descending, none negative. */
  readonly values: ArrayLike<number>;
  /** Bytes of one triplet as stored: a column of U and one of V. */
  readonly bytesPerTriplet: number;
}

/**
 * Triplets to keep, one number a module, in the order given. A module keeps at least one where a
 * count or an energy is asked, so that its adapter can be written; a budget may leave it none.
 */
export function chooseRanks(modules: readonly ModuleSpectrum[], choice: RankChoice): number[] {
  switch (choice.by) {
    case 'count':
      return modules.map(({ values }) => Math.min(values.length, Math.max(1, choice.q)));
    case 'energy':
      return modules.map(({ values }) => rankForEnergy(values, choice.percent / 100));
    case 'fro':
      return modules.map(({ values }) => oneMore(values, rankForEnergy(values, choice.share ** 2)));
    case 'ratio':
      return modules.map(({ values }) => oneMore(values, countAbove(values, choice.ratio)));
    case 'bytes':
      return ranksForBudget(modules, choice.budget);
  }
}

/** Kept share of the squared norm of all modules together, 0..1; 1 where there is none to keep. */
export function keptEnergyShare(
  modules: readonly ModuleSpectrum[],
  ranks: readonly number[],
): number {
  let kept = 0;
  let total = 0;
  for (const [index, { values }] of modules.entries()) {
    for (let i = 0; i < values.length; i++) {
      const energy = values[i]! ** 2;
      total += energy;
      if (i < (ranks[index] ?? 0)) kept += energy;
    }
  }
  return total === 0 ? 1 : kept / total;
}

function rankForEnergy(values: ArrayLike<number>, share: number): number {
  if (values.length === 0) return 0;
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i]! ** 2;
  let kept = 0;
  for (let rank = 1; rank < values.length; rank++) {
    kept += values[rank - 1]! ** 2;
    if (kept >= share * total) return rank;
  }
  return values.length;
}

/** Below it sd-scripts takes a module for one that changes nothing, and keeps one triplet of it. */
const LEAST_SIGMA = 1e-6;

function oneMore(values: ArrayLike<number>, rank: number): number {
  if (values.length === 0) return 0;
  return values[0]! <= LEAST_SIGMA ? 1 : Math.min(values.length, rank + 1);
}

function countAbove(values: ArrayLike<number>, ratio: number): number {
  let count = 0;
  while (count < values.length && values[count]! > values[0]! / ratio) count += 1;
  return Math.max(1, count);
}

/**
 * Takes triplets by squared error removed per byte while they fit. Singular values descend, so a
 * module's triplets come in order. Where all triplets cost the same this leaves the least error
 * possible; else its error is above the least by less than that of the first triplet left out,
 * the bound of the greedy knapsack (Dantzig 1957).
 */
function ranksForBudget(modules: readonly ModuleSpectrum[], budget: number): number[] {
  const count = modules.reduce((sum, { values }) => sum + values.length, 0);
  // Flat arrays: a slider asks this many times a second for tens of thousands of triplets.
  const gains = new Float64Array(count);
  const moduleOf = new Uint32Array(count);
  let next = 0;
  for (const [module, { values, bytesPerTriplet }] of modules.entries()) {
    for (let i = 0; i < values.length; i++, next++) {
      gains[next] = values[i]! ** 2 / bytesPerTriplet;
      moduleOf[next] = module;
    }
  }
  // Equal gains in the order given: the same ranks for the same input.
  const order = Uint32Array.from(gains.keys()).sort((a, b) => gains[b]! - gains[a]! || a - b);
  const ranks = modules.map(() => 0);
  const isFull = new Uint8Array(modules.length);
  let left = budget;
  for (const triplet of order) {
    const module = moduleOf[triplet]!;
    const cost = modules[module]!.bytesPerTriplet;
    if (gains[triplet] === 0) break;
    if (cost > left || isFull[module] === 1) {
      // Ranks are prefixes: past a triplet that did not fit, the rest of its module waits.
      isFull[module] = 1;
      continue;
    }
    ranks[module]! += 1;
    left -= cost;
  }
  return ranks;
}
