/** Float64 twin of shaders/stats.wgsl and kept_count.wgsl: what one selection keeps, piece by piece. */
import { gapBytes } from '@/codecs/gaps';
import { type KeptCount, type KeptMeasure, type SelectionStats } from '@/tensor/engine';
import { type SelectedPiece } from './encode';
import { isKept } from './select';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** A measure as it grows: pieces come in flat order, energies are summed in it, in float64. */
export class KeptMeasuring implements KeptMeasure {
  readonly stats: Mutable<SelectionStats> = { kept: 0, nonZero: 0, keptEnergy: 0, totalEnergy: 0 };
  readonly counts: Mutable<KeptCount>[] = [];
  /** Position of the last entry kept in the last tensor. */
  #last = -1;

  add({ piece, threshold, first }: SelectedPiece): void {
    const { tensor, tensorStart, u, keys } = piece;
    for (let i = 0; i < u.length; i++) {
      const energy = u[i]! * u[i]!;
      this.stats.totalEnergy += energy;
      if (!isKept(threshold, keys[i]!, first + i)) continue;
      this.stats.kept++;
      this.stats.keptEnergy += energy;
      if (keys[i] !== 0) this.stats.nonZero++;
      this.#count(tensor, tensorStart + i);
    }
  }

  #count(tensor: number, position: number): void {
    if (this.counts.at(-1)?.tensor !== tensor) {
      this.counts.push({ tensor, kept: 0, gapBytes: 0 });
      this.#last = -1;
    }
    const count = this.counts.at(-1)!;
    count.kept++;
    count.gapBytes += gapBytes(position - this.#last);
    this.#last = position;
  }
}
