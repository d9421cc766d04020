/** Products of any number, factorised batch by batch: all held where they fit, else one batch at a time. */
import { type Engine } from '@/tensor/engine';
import {
  type BalancedFactors,
  type FactorizationReport,
  type LowRankGroup,
  type LowRankProduct,
} from '@/tensor/low-rank';

export interface BatchSpec {
  /** Bytes of each product on the engine, factorised. */
  readonly byteLengths: readonly number[];
  /** Reads products [from, to). */
  readonly read: (from: number, to: number, signal: AbortSignal) => Promise<LowRankProduct[]>;
  /** Looks at a batch once it is on the engine, before it is factorised; rejects to refuse it. */
  readonly check?: (lowRank: LowRankGroup, from: number) => Promise<void>;
  /** What a batch may take; a product larger than that is a batch by itself. */
  readonly batchBytes: number;
  /** Whether all may be held. */
  readonly isResident: boolean;
}

interface Batch {
  readonly from: number;
  readonly to: number;
  lowRank: LowRankGroup | null;
}

export class ProductBatches {
  readonly #engine: Engine;
  readonly #spec: BatchSpec;
  readonly #batches: readonly Batch[];
  /** The worst of all batches so far. */
  #report: FactorizationReport = { residual: 0, orthogonality: 0, sweeps: 0, dispatches: 0 };

  constructor(engine: Engine, spec: BatchSpec) {
    this.#engine = engine;
    this.#spec = spec;
    this.#batches = cut(spec.byteLengths, spec.batchBytes);
  }

  /**
   * Factorises everything, in order, and gives all singular values.
   *
   * @param onBatch called with the number of products that are done
   */
  async spectra(signal: AbortSignal, onBatch: (done: number) => void): Promise<Float32Array[]> {
    const spectra: Float32Array[] = [];
    for (const batch of this.#batches) {
      const lowRank = await this.#ready(batch, signal);
      for (let i = batch.from; i < batch.to; i++) {
        spectra.push(lowRank.singularValues(i - batch.from));
      }
      onBatch(batch.to);
    }
    return spectra;
  }

  /** Of everything factorised so far. */
  get report(): FactorizationReport {
    return this.#report;
  }

  /** Asked in order of products, each batch is read and factorised once at most. */
  async balancedFactors(
    product: number,
    rank: number,
    signal: AbortSignal,
  ): Promise<BalancedFactors> {
    const batch = this.#batches.find(({ from, to }) => from <= product && product < to);
    if (batch === undefined) throw new RangeError(`There is no product ${product}.`);
    const lowRank = await this.#ready(batch, signal);
    return lowRank.balancedFactors(product - batch.from, rank);
  }

  dispose(): void {
    for (const batch of this.#batches) release(batch);
  }

  async #ready(batch: Batch, signal: AbortSignal): Promise<LowRankGroup> {
    signal.throwIfAborted();
    if (batch.lowRank !== null) return batch.lowRank;
    if (!this.#spec.isResident) this.dispose();
    const products = await this.#spec.read(batch.from, batch.to, signal);
    signal.throwIfAborted();
    const lowRank = this.#engine.createLowRankGroup(products);
    try {
      await this.#spec.check?.(lowRank, batch.from);
      this.#report = worst(this.#report, await lowRank.factorize());
      signal.throwIfAborted();
    } catch (error) {
      lowRank.dispose();
      throw error;
    }
    batch.lowRank = lowRank;
    return lowRank;
  }
}

function worst(a: FactorizationReport, b: FactorizationReport): FactorizationReport {
  return {
    residual: Math.max(a.residual, b.residual),
    orthogonality: Math.max(a.orthogonality, b.orthogonality),
    sweeps: Math.max(a.sweeps, b.sweeps),
    dispatches: a.dispatches + b.dispatches,
  };
}

function release(batch: Batch): void {
  batch.lowRank?.dispose();
  batch.lowRank = null;
}

function cut(byteLengths: readonly number[], most: number): Batch[] {
  const batches: Batch[] = [];
  let from = 0;
  let bytes = 0;
  for (const [i, byteLength] of byteLengths.entries()) {
    if (i > from && bytes + byteLength > most) {
      batches.push({ from, to: i, lowRank: null });
      from = i;
      bytes = 0;
    }
    bytes += byteLength;
  }
  if (from < byteLengths.length) batches.push({ from, to: byteLengths.length, lowRank: null });
  return batches;
}
