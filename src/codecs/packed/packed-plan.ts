/** What a task's packed file will take, and its codebook, from one look at its kept entries. */
import { MagnitudeCounts } from './codebook';
import { levelCount, type PackedFormat } from './packed-format';
import { type KeptEntries, planBlocks, type PlannedBlock, type ValueCode } from './tensor-code';

export interface PackedPlan extends ValueCode {
  /** By name, those that keep any, in canonical order. */
  readonly tensors: ReadonlyMap<string, readonly PlannedBlock[]>;
  /** Entries stored: those kept that are not zero. */
  readonly kept: number;
}

/** Grows tensor by tensor, in canonical order. */
export class PackedPlanning {
  readonly #format: PackedFormat;
  readonly #magnitudes = new MagnitudeCounts();
  readonly #tensors = new Map<string, readonly PlannedBlock[]>();
  #kept = 0;

  constructor(format: PackedFormat) {
    this.#format = format;
  }

  /** @param entries none of them zero */
  add(name: string, entries: KeptEntries): void {
    if (entries.values.length === 0) return;
    this.#magnitudes.add(entries.values);
    this.#tensors.set(name, planBlocks(entries));
    this.#kept += entries.values.length;
  }

  plan(): PackedPlan {
    const format = this.#format;
    const codebook = this.#magnitudes.codebook(levelCount(format));
    return { format, codebook, tensors: this.#tensors, kept: this.#kept };
  }
}

/** Bytes that positions take: Rice codes, quotients and low bits. */
export function positionBytes({ tensors }: PackedPlan): number {
  let bytes = 0;
  for (const blocks of tensors.values()) {
    for (const { shape } of blocks) {
      bytes += shape.quotientBytes + (shape.kept * shape.lowBits) / 8;
    }
  }
  return Math.ceil(bytes);
}
