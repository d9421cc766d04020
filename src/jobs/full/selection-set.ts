import { type SparseMethod, SPARSE_COMPRESSORS } from '@/methods/registry';
import { type Selection } from '@/tensor/engine';
import { type FullJob } from './full-job';

/** A job's exact selections: each made when first needed, freed when its m is done with. */
export class SelectionSet {
  readonly #job: FullJob;
  readonly #made = new Map<
    string,
    { readonly keptPercent: number; readonly selection: Selection }
  >();

  constructor(job: FullJob) {
    this.#job = job;
  }

  async get(method: SparseMethod, keptPercent: number, task: number): Promise<Selection> {
    const key = `${method}|${keptPercent}|${task}`;
    const known = this.#made.get(key);
    if (known !== undefined) return known.selection;
    const { group, recipe, signal } = this.#job;
    signal.throwIfAborted();
    const { center } = SPARSE_COMPRESSORS[method];
    const [made] = await group.weights.select(center, task, recipe.scope, [keptPercent]);
    const selection = made!;
    this.#made.set(key, { keptPercent, selection });
    return selection;
  }

  drop(keptPercent: number): void {
    for (const [key, entry] of this.#made) {
      if (entry.keptPercent !== keptPercent) continue;
      entry.selection.dispose();
      this.#made.delete(key);
    }
  }

  dispose(): void {
    for (const { selection } of this.#made.values()) selection.dispose();
    this.#made.clear();
  }
}
