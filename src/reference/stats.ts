/** Float64 twin of shaders/stats.wgsl. */
import { type SelectionStats } from '@/tensor/engine';
import { isKept, type ScopeThreshold } from './select';

/** Counts and energies of one run of entries; energies in float64, summed in order. */
export function runStats(
  u: Float32Array,
  keys: Uint32Array,
  threshold: ScopeThreshold,
  firstPosition: number,
): SelectionStats {
  let kept = 0;
  let nonZero = 0;
  let keptEnergy = 0;
  let totalEnergy = 0;
  for (let i = 0; i < u.length; i++) {
    const energy = u[i]! * u[i]!;
    totalEnergy += energy;
    if (!isKept(threshold, keys[i]!, firstPosition + i)) continue;
    kept++;
    keptEnergy += energy;
    if (keys[i] !== 0) nonZero++;
  }
  return { kept, nonZero, keptEnergy, totalEnergy };
}

export function addStats(a: SelectionStats, b: SelectionStats): SelectionStats {
  return {
    kept: a.kept + b.kept,
    nonZero: a.nonZero + b.nonZero,
    keptEnergy: a.keptEnergy + b.keptEnergy,
    totalEnergy: a.totalEnergy + b.totalEnergy,
  };
}
