import { type SparseFacts } from '@/protocol/results';
import { type StorageRow } from '@/recipe/recipe';
import { type KeptCount } from '@/tensor/engine';

/** What a sparse method costs and holds at one m. */
export interface SparseMeasure {
  readonly facts: readonly SparseFacts[];
  readonly row: StorageRow;
  /** Of each task, what every tensor that keeps any takes. */
  readonly counts: readonly (readonly KeptCount[])[];
}

/** Every measure taken for the open group, so that none is taken twice. */
export class MeasureCache {
  readonly #measures = new Map<string, SparseMeasure>();

  get(key: string): SparseMeasure | null {
    return this.#measures.get(key) ?? null;
  }

  set(key: string, measure: SparseMeasure): void {
    this.#measures.set(key, measure);
  }
}
