/**
 * What a choice of ranks costs and keeps, from the spectra alone. Pure: the worker reports it and
 * the page shows it while the slider moves, so both say the same.
 */
import { adapterFolderSize, tripletBytes } from '@/export/adapter-size';
import { chooseRanks, keptEnergyShare, type RankChoice } from '@/methods/peru-lora';
import { type AdapterContents } from './protocol';

export { tripletBytes };

/** Singular values of every module of a task, in the order of `AdapterContents.modules`. */
export interface TaskSpectra {
  readonly task: string;
  readonly modules: readonly ArrayLike<number>[];
}

export interface AdapterPreview {
  readonly task: string;
  /** Triplets kept, in the order of `AdapterContents.modules`. */
  readonly ranks: readonly number[];
  /** 0..1 */
  readonly energyShare: number;
  /** The task's adapter folder, and its bytes in all. */
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
  readonly bytes: number;
}

/** One entry a task, in the order of `spectra`. Budgets are shared over the modules of all tasks. */
export function previewAdapters(
  { modules, tasks }: AdapterContents,
  spectra: readonly TaskSpectra[],
  choice: RankChoice,
): AdapterPreview[] {
  const costs = modules.map(tripletBytes);
  const all = spectra.map((one) =>
    one.modules.map((values, i) => ({ values, bytesPerTriplet: costs[i]! })),
  );
  const ranks = chooseRanks(all.flat(), choice);
  return spectra.map(({ task }, index) => {
    const own = ranks.slice(index * modules.length, (index + 1) * modules.length);
    const otherBytes = tasks.find((one) => one.task === task)?.otherBytes ?? 0;
    const written = modules.map((module, i) => ({ ...module, rank: own[i]! }));
    const files = adapterFolderSize(task, { modules: written, otherBytes });
    return {
      task,
      ranks: own,
      energyShare: keptEnergyShare(all[index]!, own),
      files,
      bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    };
  });
}
