/**
 * What a choice of ranks costs and keeps, from the spectra alone. Pure: the worker reports it and
 * the page shows it while the slider moves, so both say the same.
 */
import { type AdapterFolderSpec, adapterFolderSize, tripletBytes } from './adapter-size';
import { fileStems } from '@/export/file-stems';
import { chooseRanks, keptEnergyShare, type RankChoice } from '@/methods/peru-lora';
import { type AdapterContents } from './adapter-contents';

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

/** One entry a task, in the order of both lists. Budgets are shared over the modules of all tasks. */
export function previewAdapters(
  contents: AdapterContents,
  spectra: readonly TaskSpectra[],
  choice: RankChoice,
): AdapterPreview[] {
  const { modules } = contents;
  const costs = modules.map(tripletBytes);
  const all = spectra.map((one) =>
    one.modules.map((values, i) => ({ values, bytesPerTriplet: costs[i]! })),
  );
  const ranks = chooseRanks(all.flat(), choice);
  const folders = adapterFolders(contents);
  return spectra.map(({ task }, index) => {
    const own = ranks.slice(index * modules.length, (index + 1) * modules.length);
    const files = adapterFolderSize(folders[index]!, adapterSpec(contents, index, own));
    return {
      task,
      ranks: own,
      energyShare: keptEnergyShare(all[index]!, own),
      files,
      bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    };
  });
}

/** What tasks' adapter folders are called. */
export function adapterFolders({ tasks }: AdapterContents): string[] {
  return fileStems(tasks.map(({ task }) => task));
}

/** A task's adapter as it is written at these ranks, in the order of `AdapterContents.modules`. */
export function adapterSpec(
  { modules, tasks, baseModel }: AdapterContents,
  task: number,
  ranks: readonly number[],
): AdapterFolderSpec {
  const { writtenNames, copies, source } = tasks[task]!;
  const written = modules.map((module, i) => {
    const writtenName = writtenNames[module.name] ?? module.name;
    return { ...module, writtenName, rank: ranks[i]! };
  });
  return { modules: written, copies, baseModel, source };
}
