/** Merged adapters made lately, so that a recipe tried again is not factorised again. */
import { type LowRankGroup } from '@/tensor/low-rank';
import { type MergePlan } from '@/tensor/merge-plan';

/** All tasks' adapters as one: their products side by side, recompressed without loss. */
export interface MergedAdapter {
  /** `mergeKey` of the recipe it stands for. */
  readonly key: string;
  readonly mergePlan: MergePlan;
  /** One product an adapted weight, in the order of `AdapterContents.modules`. */
  readonly lowRank: LowRankGroup;
  /** Triplets of each product that are not rounding noise. */
  readonly ranks: readonly number[];
}

export class MergedAdapters {
  /** The newest last. */
  #held: { readonly merged: MergedAdapter; readonly byteLength: number }[] = [];

  /** @param spareBytes what the budget leaves beside all that is planned, one of them included */
  constructor(private readonly spareBytes: number) {}

  /** The one of a recipe, now the newest; null where it is not held. */
  get(key: string): MergedAdapter | null {
    const found = this.#held.find(({ merged }) => merged.key === key);
    if (found === undefined) return null;
    this.#held = [...this.#held.filter((one) => one !== found), found];
    return found.merged;
  }

  /** Makes room for one more: the oldest go until the others fit what is spare. */
  makeRoom(): void {
    let bytes = this.#held.reduce((sum, { byteLength }) => sum + byteLength, 0);
    while (bytes > this.spareBytes) {
      const oldest = this.#held.shift()!;
      bytes -= oldest.byteLength;
      oldest.merged.lowRank.dispose();
    }
  }

  /** @param byteLength on the engine */
  add(merged: MergedAdapter, byteLength: number): void {
    this.#held.push({ merged, byteLength });
  }

  dispose(): void {
    for (const { merged } of this.#held) merged.lowRank.dispose();
    this.#held = [];
  }
}
