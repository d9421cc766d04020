import { type SparseFacts } from '@/protocol/results';
import { type StorageRow } from '@/recipe/recipe';
import { type PackedPlan } from '@/codecs/packed/packed-plan';
import { type KeptCount } from '@/tensor/engine';

/** What a sparse method costs and holds at one m. */
export interface SparseMeasure {
  readonly facts: readonly SparseFacts[];
  readonly row: StorageRow;
  /** Of each task. */
  readonly contents: readonly TaskContents[];
}

/** What one task's file holds. */
export interface TaskContents {
  /** Every tensor that keeps any. */
  readonly counts: readonly KeptCount[];
  /** How they are packed; null where values are stored one by one. */
  readonly packed: PackedPlan | null;
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
