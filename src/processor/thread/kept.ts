/** Twins of shaders/stats.wgsl, kept_*.wgsl: what selections keep, measured and as bytes to write. */
import { gapBytes, SKIP } from '@/codecs/gaps';
import { VALUE_CODECS } from '@/codecs/value-codecs';
import { type Block } from '../parts/blocks';
import {
  type DeltaOf,
  type EncodedRun,
  type KeptRun,
  type PartMeasure,
  type PartScales,
  type StoredAs,
  type Thresholds,
} from '../parts/questions';
import { eachDelta } from './count';
import { type BlockMath, MAGNITUDE } from '../simd/block-math';
import { type Shard } from './shard';

/** Indices in a block of what is kept of the task vector in `math`; valid until its next list. */
export function keptIndices(math: BlockMath, thresholds: Thresholds, block: Block): Uint32Array {
  const { perTensor, keys, tieLimits } = thresholds;
  const scope = perTensor ? block.tensor : 0;
  const first = perTensor ? block.tensorStart : block.flatStart;
  // Ties before it are kept.
  const tiesEnd = Math.min(block.elementCount, tieLimits[scope]! - first + 1);
  return math.keptIndices(block.elementCount, keys[scope]!, tiesEnd);
}

/** A measure as it grows, block by block. */
class Measuring {
  kept = 0;
  nonZero = 0;
  readonly keptEnergies: number[] = [];
  readonly totalEnergies: number[] = [];
  readonly runs: Mutable<KeptRun>[] = [];

  constructor(readonly thresholds: Thresholds) {}

  add(math: BlockMath, block: Block, totalEnergy: number): void {
    const { u, bits } = math;
    const kept = keptIndices(math, this.thresholds, block);
    let keptEnergy = 0;
    let zeros = 0;
    for (let k = 0; k < kept.length; k++) {
      const i = kept[k]!;
      keptEnergy += u[i]! * u[i]!;
      if ((bits[i]! & MAGNITUDE) === 0) zeros++;
    }
    // Where all are kept the two are one sum.
    this.keptEnergies.push(kept.length === block.elementCount ? totalEnergy : keptEnergy);
    this.totalEnergies.push(totalEnergy);
    this.kept += kept.length;
    this.nonZero += kept.length - zeros;
    if (kept.length > 0) this.#addRun(kept, block);
  }

  #addRun(kept: Uint32Array, { tensor, tensorStart }: Block): void {
    const first = tensorStart + kept[0]!;
    let run = this.runs.at(-1);
    if (run?.tensor !== tensor) {
      run = { tensor, kept: 0, first, last: first, gapBytes: -1 };
      this.runs.push(run);
    }
    let { gapBytes: bytes, last } = run;
    for (let k = 0; k < kept.length; k++) {
      const position = tensorStart + kept[k]!;
      bytes += gapBytes(position - last);
      last = position;
    }
    run.kept += kept.length;
    run.gapBytes = bytes;
    run.last = last;
  }

  result(): PartMeasure {
    const { kept, nonZero, runs } = this;
    return {
      ...{ kept, nonZero, runs },
      keptEnergies: Float64Array.from(this.keptEnergies),
      totalEnergies: Float64Array.from(this.totalEnergies),
    };
  }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * What each selection keeps of this part of a chunk; the task vector is made once for all.
 *
 * Bytes an element: center and task read, 4 (halves) to 8. 2 operations, and 4 a selection.
 */
export function measureKept(
  shard: Shard,
  chunk: number,
  of: DeltaOf,
  selections: readonly Thresholds[],
): PartMeasure[] {
  const measuring = selections.map((thresholds) => new Measuring(thresholds));
  eachDelta(shard, chunk, of, (block) => {
    const totalEnergy = shard.math.energy(block.elementCount);
    for (const one of measuring) one.add(shard.math, block, totalEnergy);
  });
  return measuring.map((one) => one.result());
}

/**
 * Adds what each tensor keeps in this part of a chunk to `scales`.
 *
 * @param withEnergies of what is kept and of all, which takes longer
 */
export function keptScales(
  shard: Shard,
  chunk: number,
  of: DeltaOf,
  thresholds: Thresholds,
  { largest, keptEnergies, totalEnergies }: PartScales,
  withEnergies: boolean,
): void {
  const { math } = shard;
  eachDelta(shard, chunk, of, (block) => {
    const { tensor } = block;
    const kept = keptIndices(math, thresholds, block);
    let most = largest[tensor]!;
    for (const i of kept) most = Math.max(most, math.bits[i]! & MAGNITUDE);
    largest[tensor] = most;
    if (!withEnergies) return;
    let keptEnergy = 0;
    for (const i of kept) keptEnergy += math.u[i]! * math.u[i]!;
    const totalEnergy = math.energy(block.elementCount);
    // Where all are kept the two are one sum.
    keptEnergies[tensor]! += kept.length === block.elementCount ? totalEnergy : keptEnergy;
    totalEnergies[tensor]! += totalEnergy;
  });
}

/** Where a thread collects kept entries, so that memory is not asked for at every chunk. */
export class EncodingRoom {
  gaps = new Uint8Array(0);
  values = new Float32Array(0);

  /** @param elementCount of a part: so many it can keep */
  fit(elementCount: number): this {
    if (this.values.length < elementCount) {
      // A gap takes no more bytes than it has elements.
      this.gaps = new Uint8Array(elementCount);
      this.values = new Float32Array(elementCount);
    }
    return this;
  }
}

/** Kept entries of this part of a chunk as bytes to write, a run of one tensor after the other. */
export function encodeKept(
  shard: Shard,
  room: EncodingRoom,
  chunk: number,
  of: DeltaOf,
  thresholds: Thresholds,
  storedAs: StoredAs,
): EncodedRun[] {
  const encoder = new RunEncoder(room.fit(shard.partSize(chunk)), storedAs);
  eachDelta(shard, chunk, of, (block) => {
    encoder.add(shard.math.u, keptIndices(shard.math, thresholds, block), block);
  });
  return encoder.finish();
}

/** Collects kept entries run by run. */
class RunEncoder {
  readonly #runs: EncodedRun[] = [];
  readonly #storedAs: StoredAs;
  readonly #gaps: Uint8Array;
  readonly #values: Float32Array;
  #tensor = -1;
  #kept = 0;
  #gapBytes = 0;
  #first = -1;
  #last = -1;

  /** @param room for all that one part could keep */
  constructor({ gaps, values }: EncodingRoom, storedAs: StoredAs) {
    this.#storedAs = storedAs;
    this.#gaps = gaps;
    this.#values = values;
  }

  add(u: Float32Array, indices: Uint32Array, { tensor, tensorStart }: Block): void {
    if (tensor !== this.#tensor) this.#close(tensor);
    if (indices.length === 0) return;
    if (this.#kept === 0) this.#first = this.#last = tensorStart + indices[0]!;
    const [gaps, values] = [this.#gaps, this.#values];
    let [kept, gapBytes, last] = [this.#kept, this.#gapBytes, this.#last];
    for (let k = 0; k < indices.length; k++) {
      const i = indices[k]!;
      let distance = tensorStart + i - last;
      last += distance;
      values[kept++] = u[i]!;
      if (kept === 1) continue; // the run's first
      for (; distance >= SKIP; distance -= SKIP) gaps[gapBytes++] = SKIP;
      gaps[gapBytes++] = distance;
    }
    [this.#kept, this.#gapBytes, this.#last] = [kept, gapBytes, last];
  }

  finish(): EncodedRun[] {
    this.#close(-1);
    return this.#runs;
  }

  #encode(values: Float32Array, tensor: number): Uint8Array<ArrayBuffer> {
    const { valueDtype, scales } = this.#storedAs;
    return VALUE_CODECS[valueDtype].encode(values, scales?.[tensor] ?? null);
  }

  #close(next: number): void {
    const [tensor, kept, gapBytes] = [this.#tensor, this.#kept, this.#gapBytes];
    if (kept > 0) {
      const values = this.#encode(this.#values.subarray(0, kept), tensor);
      const gaps = this.#gaps.slice(0, gapBytes);
      this.#runs.push({
        tensor,
        kept,
        first: this.#first,
        last: this.#last,
        gapBytes,
        gaps,
        values,
      });
    }
    [this.#tensor, this.#kept, this.#gapBytes, this.#first, this.#last] = [next, 0, 0, -1, -1];
  }
}
