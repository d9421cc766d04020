import { type SparseMethod, SPARSE_COMPRESSORS } from '@/methods/registry';
import { type Selection } from '@/tensor/engine';
import { type FullJob } from './full-job';

/** A job's exact selections: made when first needed, freed when their m is done with. */
export class SelectionSet {
  readonly #job: FullJob;
  readonly #made = new Map<
    string,
    { readonly keptPercent: number; readonly selection: Selection }
  >();

  constructor(job: FullJob) {
    this.#job = job;
  }

  /**
   * One task's selections at these m, in their order. Those that are not there yet are made in the same
   * passes over its weights.
   */
  async get(
    method: SparseMethod,
    keptPercents: readonly number[],
    task: number,
  ): Promise<Selection[]> {
    const keyOf = (keptPercent: number): string => `${method}|${keptPercent}|${task}`;
    const missing = keptPercents.filter((keptPercent) => !this.#made.has(keyOf(keptPercent)));
    if (missing.length > 0) {
      const { group, recipe, signal } = this.#job;
      signal.throwIfAborted();
      const { center } = SPARSE_COMPRESSORS[method];
      const made = await group.weights.select(center, task, recipe.scope, missing);
      missing.forEach((keptPercent, i) => {
        this.#made.set(keyOf(keptPercent), { keptPercent, selection: made[i]! });
      });
    }
    return keptPercents.map((keptPercent) => this.#made.get(keyOf(keptPercent))!.selection);
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
