/**
 * What a choice of ranks keeps and costs: from the spectra while a slider moves, then as the worker
 * reports it, which is the same arithmetic. Pure.
 */
import {
  type AdapterPreview,
  previewAdapters,
  tripletBytes,
} from '@/export/adapter/adapter-preview';
import { type AdapterContents } from '@/export/adapter/adapter-contents';
import { type RankChoice } from '@/methods/peru-lora';
import { lowRankMethodId } from '@/recipe/parsed-method';
import { type ByMethod, type LowRankFacts, type Spectra } from '@/store/state/results';

/** What one task's adapter keeps with the ranks chosen. */
export type AdapterKept = Omit<AdapterPreview, 'files'>;

/** Bytes of every triplet of every task: what a budget is a part of. */
export function fullTripletBytes({ modules, tasks }: AdapterContents): number {
  return sumTriplets(modules, tasks, (rank) => rank);
}

/** Bytes of one triplet in each module of each task. */
export function leastTripletBytes({ modules, tasks }: AdapterContents): number {
  return sumTriplets(modules, tasks, (rank) => Math.min(1, rank));
}

function sumTriplets(
  modules: AdapterContents['modules'],
  tasks: AdapterContents['tasks'],
  count: (rank: number) => number,
): number {
  return tasks.reduce(
    (sum, { ranks }) =>
      sum + modules.reduce((own, one, i) => own + count(ranks[i] ?? 0) * tripletBytes(one), 0),
    0,
  );
}

/**
 * What each task keeps with these ranks, in the order of the tasks: as the worker reported it where
 * it has, else from the spectra. Null before either is there.
 */
export function adaptersKept(
  contents: AdapterContents,
  spectra: Spectra | null,
  choice: RankChoice,
  lowRank: ByMethod<LowRankFacts>,
): readonly AdapterKept[] | null {
  const facts = lowRank[lowRankMethodId(choice)] ?? {};
  const reported = contents.tasks.flatMap(({ task }) => facts[task] ?? []);
  if (reported.length === contents.tasks.length && reported.length > 0) return reported;
  if (spectra === null) return null;
  return previewAdapters(contents, spectra.spectra, choice);
}

/** Unweighted mean of the tasks' kept energy, 0..1. */
export function meanEnergy(kept: readonly AdapterKept[]): number {
  return kept.reduce((sum, { energyShare }) => sum + energyShare, 0) / Math.max(1, kept.length);
}

/** Kept energy averaged over the tasks at q = 1..maxRank, for the curve above the slider. */
export function meanEnergyByRank(spectra: Spectra | null, maxRank: number): readonly number[] {
  const tasks = spectra?.spectra ?? [];
  if (tasks.length === 0) return [];
  const means = new Array<number>(maxRank).fill(0);
  for (const { modules } of tasks) {
    const atIndex = new Array<number>(maxRank).fill(0);
    for (const values of modules) {
      values.forEach((value, i) => {
        if (i < maxRank) atIndex[i] = (atIndex[i] ?? 0) + value * value;
      });
    }
    const total = atIndex.reduce((sum, energy) => sum + energy, 0);
    let kept = 0;
    atIndex.forEach((energy, i) => {
      kept += energy;
      means[i] = (means[i] ?? 0) + (total === 0 ? 1 : kept / total) / tasks.length;
    });
  }
  return means;
}
