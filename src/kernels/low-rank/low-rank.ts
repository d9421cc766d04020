/** Low-rank products on the GPU: owns their buffers and hands each operation its batch. */
import { invariantError } from '@/core/errors';
import { type BufferScope } from '@/gpu/buffers';
import { type DeviceHandle } from '@/gpu/device';
import { withErrorScopesNow } from '@/gpu/error-scopes';
import { ParamsCache } from '@/gpu/params';
import { readBack } from '@/gpu/readback';
import { PassRecorder } from '@/gpu/recorder';
import {
  type AddedWeights,
  type BalancedFactors,
  type FactorizationReport,
  type LowRankAddition,
  type LowRankGroup,
  type LowRankProduct,
} from '@/tensor/low-rank';
import { addInMemory, type AddedColumns, type AddJob, addOnGpu } from './low-rank-add';
import {
  createBatch,
  type Factorized,
  type LowRankBatch,
  type LowRankContext,
  planBatches,
} from './low-rank-batch';
import { factorizeBatch } from './low-rank-factorize';
import { countNonFiniteFactors } from './low-rank-nonfinite';
import { columnsOf, tripletsOf } from './low-rank-plan';
import { balancedFrom, columnsFrom } from './low-rank-signs';

/** A product's batch and its place in it. */
interface Place {
  readonly batch: number;
  readonly at: number;
}

export class GpuLowRankGroup implements LowRankGroup {
  readonly ranks: readonly number[];
  private readonly context: LowRankContext;
  private readonly batches: readonly LowRankBatch[];
  private readonly places: readonly Place[];
  private readonly scope: BufferScope;
  /** Rejects when the buffers did not fit; every operation waits for it. */
  private readonly ready: Promise<void>;
  private factorizing: Promise<FactorizationReport> | null = null;
  /** By batch, once `factorize` has settled. */
  private factorized: readonly Factorized[] = [];
  private disposed = false;

  /** @throws PeruError `out-of-memory` or `internal` naming a product that cannot be taken */
  constructor(
    private readonly handle: DeviceHandle,
    readonly products: readonly LowRankProduct[],
    private readonly onDispose: () => void,
  ) {
    this.ranks = products.map(tripletsOf);
    const plans = planBatches(handle.device.limits, products);
    const places: Place[] = [];
    plans.forEach((plan, batch) => {
      plan.products.forEach((product, at) => (places[product] = { batch, at }));
    });
    this.places = places;
    this.scope = handle.buffers.scope();
    const { result, accepted } = withErrorScopesNow(handle, 'making room for the adapters', () => {
      try {
        return plans.map((plan) => createBatch(handle, this.scope, plan));
      } catch (error) {
        this.scope.destroy();
        throw error;
      }
    });
    this.batches = result;
    const params = new ParamsCache(handle.device, handle.buffers);
    this.context = { handle, params, products, scope: this.scope };
    this.ready = accepted;
    this.ready.catch(() => undefined); // told by the first operation that waits for it
  }

  async countNonFinite(): Promise<Uint32Array> {
    return this.attempt(async () => {
      const counts = new Uint32Array(this.products.length);
      for (const batch of this.batches) {
        const found = await countNonFiniteFactors(this.context, batch);
        batch.plan.products.forEach((product, i) => (counts[product] = found[i]!));
      }
      return counts;
    });
  }

  factorize(): Promise<FactorizationReport> {
    if (!this.factorizing) {
      const work = this.attempt(() => this.factorizeAll());
      this.factorizing = work;
      work.catch(() => (this.factorizing = null)); // a later call tries again
    }
    return this.factorizing;
  }

  singularValues(product: number): Float32Array {
    const { plan, at, factorized } = this.placed(product);
    const first = plan.firstTriplets[at]!;
    const scale = 2 ** factorized.exponents[at]!;
    const sigmas = factorized.sigmas.subarray(first, first + this.ranks[product]!);
    return sigmas.map((sigma) => sigma * scale);
  }

  async balancedFactors(product: number, rank: number): Promise<BalancedFactors> {
    const { plan, at, factorized } = this.placed(product, rank);
    const scale = 2 ** (factorized.exponents[at]! / 2);
    const sides = [plan.sides[2 * at]!, plan.sides[2 * at + 1]!];
    return this.attempt(() =>
      this.handle.buffers.lend(async (scope) => {
        const [left, right] = await readBack(this.handle, 'reading adapters', () => {
          const { encoder } = new PassRecorder(this.handle, 'reading adapters');
          const usage = GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
          const ranges = sides.map(({ balancedBase, stride }) => {
            const byteLength = 16 * stride * rank;
            const source = scope.create('leading triplets', byteLength, usage);
            const from = 16 * balancedBase;
            if (byteLength > 0) {
              encoder.copyBufferToBuffer(factorized.balanced, from, source, 0, byteLength);
            }
            return { source, byteLength };
          });
          return { encoder, ranges };
        });
        const { rows, columns } = this.products[product]!;
        return balancedFrom(
          columnsFrom(new Float32Array(left!), rows, rank),
          columnsFrom(new Float32Array(right!), columns, rank),
          scale,
        );
      }),
    );
  }

  async add(additions: readonly LowRankAddition[], location: 'cpu' | 'gpu'): Promise<AddedWeights> {
    const jobs = additions.map((addition) => this.addJob(addition));
    return this.attempt(() =>
      location === 'gpu' ? addOnGpu(this.context, jobs) : addInMemory(this.context, jobs),
    );
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.scope.release();
    this.context.params.dispose();
    this.handle.buffers.trim();
    this.onDispose();
  }

  private async factorizeAll(): Promise<FactorizationReport> {
    const done: Factorized[] = [];
    let total = { residual: 0, orthogonality: 0, sweeps: 0, dispatches: 0 };
    for (const batch of this.batches) {
      const { factorized, report } = await factorizeBatch(this.context, batch);
      done.push(factorized);
      total = {
        residual: Math.max(total.residual, report.residual),
        orthogonality: Math.max(total.orthogonality, report.orthogonality),
        sweeps: Math.max(total.sweeps, report.sweeps),
        dispatches: total.dispatches + report.dispatches,
      };
    }
    this.factorized = done;
    return total;
  }

  private addJob(addition: LowRankAddition): AddJob {
    const product = this.products[addition.product];
    if (!product) throw invariantError(`There is no product ${addition.product}.`);
    const { name, rows, columns } = product;
    return { addition, name, rows, columns, ...this.addedColumns(addition) };
  }

  private addedColumns({ product, form }: LowRankAddition): AddedColumns {
    if (form.kind === 'terms') {
      const { batch, at } = this.places[product]!;
      const { arena, columnTable, plan } = this.batches[batch]!;
      return {
        values: arena,
        columnTable,
        leftColumn: plan.sides[2 * at]!.firstColumn,
        rightColumn: plan.sides[2 * at + 1]!.firstColumn,
        rank: columnsOf(this.products[product]!),
      };
    }
    const { at, factorized } = this.placed(product, form.rank);
    return {
      values: factorized.balanced,
      columnTable: factorized.columnTable,
      leftColumn: factorized.firstColumns[2 * at]!,
      rightColumn: factorized.firstColumns[2 * at + 1]!,
      rank: form.rank,
    };
  }

  /** @throws PeruError `internal` before `factorize`, or for a rank that the product cannot have */
  private placed(product: number, rank = 0) {
    const place = this.places[product];
    const factorized = place && this.factorized[place.batch];
    if (!factorized)
      throw invariantError(`Product ${product} was asked for before it was factorised.`);
    if (!Number.isInteger(rank) || rank < 0 || rank > this.ranks[product]!) {
      throw invariantError(`Rank ${rank} was asked of a product of rank ${this.ranks[product]}.`);
    }
    return { plan: this.batches[place.batch]!.plan, at: place.at, factorized };
  }

  private async attempt<T>(work: () => Promise<T>): Promise<T> {
    if (this.disposed) throw invariantError('These adapters were disposed of.');
    await this.ready;
    try {
      return await work();
    } catch (error) {
      // What a failure left behind may be invalid; records are written again when needed.
      this.context.params.destroy();
      throw error;
    }
  }
}
