/** One group of checkpoints on the GPU: owns its buffers and hands each operation its context. */
import { invariantError } from '@/core/errors';
import { type BufferScope } from '@/gpu/buffers';
import { type DeviceHandle } from '@/gpu/device';
import { withErrorScopesNow } from '@/gpu/error-scopes';
import { ParamsCache } from '@/gpu/params';
import { bytesBesidePages } from '@/tensor/choose-plan';
import { type FloatDtype, type ValueDtype } from '@/tensor/dtype';
import {
  type Center,
  type EncodedTensor,
  type KeptMeasure,
  type GroupSpec,
  type MagnitudeHistogram,
  type ModelWeights,
  type Scope,
  type Selection,
  type WeightGroup,
  type WeightsOf,
} from '@/tensor/engine';
import { type FlatLayout } from '@/tensor/layout';
import { type MergePlan } from '@/tensor/merge-plan';
import { assertOneTaskVector } from '@/tensor/one-task-vector';
import { weightsInMemory, weightsOnGpu } from '@/kernels/operations/apply';
import { blockTable } from '@/kernels/weights/blocks';
import { type GroupWeights } from '@/kernels/weights/chunk-buffers';
import { type ChunkMap, chunkMaps } from '@/kernels/weights/chunk-map';
import { encodeSelection } from '@/kernels/operations/encode';
import { type Counting, type GroupContext } from '@/kernels/weights/group-context';
import {
  CACHE_BYTES,
  HistogramCache,
  readHistogram,
  streamedCacheBytes,
} from '@/kernels/operations/histogram';
import { keptBits } from '@/kernels/operations/mask';
import { groupNeeds } from './memory-plan';
import { MergedBuffers } from '@/kernels/weights/merged-buffers';
import { measureSelections } from '@/kernels/operations/measure';
import { mergeChunks, taskTableBytes } from '@/kernels/operations/merge';
import { countNonFiniteValues } from '@/kernels/operations/nonfinite';
import { readMergedBytes } from '@/kernels/operations/read-merged';
import { ResidentWeights } from '@/kernels/weights/resident-weights';
import { type SelectionFacts, selectTop } from '@/kernels/operations/select';
import { StreamedWeights } from '@/kernels/weights/streamed-weights';
import { warmUpDtypes } from './warm-up';

interface Issued {
  readonly facts: SelectionFacts;
  /** State of its center and task when it was made; later changes make it stale. */
  readonly generation: number;
}

export class GpuGroup implements WeightGroup {
  readonly layout: FlatLayout;
  private readonly context: GroupContext;
  private readonly histograms: HistogramCache;
  private readonly taskTables: readonly GPUBuffer[];
  /** Buffers that live as long as the group. */
  private readonly scope: BufferScope;
  private readonly selections = new Map<Selection, Issued>();
  /** Rejects when the group's buffers did not fit; every operation waits for it. */
  private readonly ready: Promise<void>;
  private uploadCount = 0;
  private mergeCount = 0;
  private disposed = false;
  /** The operation at hand; on streamed weights the next one waits for it. */
  private tail: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly handle: DeviceHandle,
    spec: GroupSpec,
    counting: Counting,
    private readonly onDispose: () => void,
  ) {
    this.layout = spec.layout;
    this.scope = handle.buffers.scope();
    const maps = chunkMaps(spec.layout, spec.chunks);
    const pieces = maps.map((map) => map.pieces);
    const table = blockTable(pieces, spec.layout.tensors.length);
    const params = new ParamsCache(handle.device, handle.buffers);
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
    const { result, accepted } = withErrorScopesNow(
      handle,
      'making room for the checkpoints',
      () => {
        try {
          const blocks = this.scope.create('blocks', table.words.byteLength, usage);
          handle.device.queue.writeBuffer(blocks, 0, table.words);
          const rowBytes = taskTableBytes(spec.taskCount);
          const rows = spec.chunks.map(() => this.scope.create('task table', rowBytes, usage));
          return { blocks, rows, weights: groupWeights(handle, spec, maps, counting, this.scope) };
        } catch (error) {
          this.scope.destroy();
          throw error;
        }
      },
    );
    this.taskTables = result.rows;
    const { blocks, weights } = result;
    const merged = new MergedBuffers(handle, maps);
    this.context = { handle, spec, counting, weights, merged, params, table, blocks, maps };
    const cacheBytes = spec.streamed ? streamedCacheBytes(spec) : CACHE_BYTES;
    this.histograms = new HistogramCache(this.context, cacheBytes);
    this.ready = accepted;
    this.ready.catch(() => undefined); // told by the first operation that waits for it
    const chunkDtypes = spec.chunks.map(({ dtypes }) => dtypes);
    void warmUpDtypes(handle, counting.tally, chunkDtypes);
  }

  upload(checkpoint: number, chunkIndex: number, bytes: Uint8Array<ArrayBuffer>): void {
    this.assertUsable();
    this.context.weights.upload(checkpoint, chunkIndex, bytes);
    this.uploadCount++;
    this.histograms.drop('all');
  }

  async countNonFinite(checkpoint: number): Promise<Uint32Array> {
    return this.attempt(() => countNonFiniteValues(this.context, checkpoint));
  }

  async merge(plan: MergePlan, dtype: FloatDtype): Promise<void> {
    return this.attempt(() => {
      this.mergeCount++;
      this.histograms.drop('merged');
      return mergeChunks(this.context, this.taskTables, plan, dtype);
    });
  }

  async histogram(center: Center, task: number): Promise<MagnitudeHistogram> {
    return this.attempt(() => readHistogram(this.context, this.histograms, center, task));
  }

  async select(
    center: Center,
    task: number,
    scope: Scope,
    percents: readonly number[],
  ): Promise<Selection[]> {
    const { generation, all } = await this.attempt(async () => ({
      generation: this.generationOf(center),
      all: await selectTop(this.context, this.histograms, { center, task, scope }, percents),
    }));
    return all.map((facts) => this.issue({ facts, generation }));
  }

  async measure(selections: readonly Selection[]): Promise<KeptMeasure[]> {
    return this.attempt(() => {
      assertOneTaskVector(selections);
      const facts = selections.map((selection) => this.own(selection));
      return measureSelections(this.context, facts);
    });
  }

  async keptMask(selection: Selection): Promise<Uint32Array> {
    return this.attempt(() => keptBits(this.context, this.own(selection)));
  }

  async readMerged(flatStart: number, elementCount: number): Promise<Uint8Array<ArrayBuffer>> {
    return this.attempt(() => readMergedBytes(this.context, flatStart, elementCount));
  }

  encodeKept(
    selection: Selection,
    valueDtype: ValueDtype,
    rescaled = false,
  ): AsyncIterable<EncodedTensor> {
    const stored = { valueDtype, rescaled };
    return this.attemptEach(selection, (facts) => encodeSelection(this.context, facts, stored));
  }

  async materialize(weights: WeightsOf, location: 'cpu' | 'gpu'): Promise<ModelWeights> {
    return this.attempt(() => {
      const job =
        weights.kind === 'sparse'
          ? { ...weights, selection: this.own(weights.selection) }
          : weights;
      return location === 'gpu'
        ? weightsOnGpu(this.context, job)
        : weightsInMemory(this.context, job);
    });
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    for (const selection of [...this.selections.keys()]) selection.dispose();
    this.histograms.drop('all');
    this.context.merged.drop();
    this.context.weights.dispose();
    this.context.params.dispose();
    this.scope.release();
    // Only a streamed group has set one.
    if (this.context.weights.streamed) this.handle.buffers.limit(Infinity);
    this.handle.buffers.trim();
    this.onDispose();
  }

  /**
   * Runs one operation, alone where weights are streamed: two would take each other's room. After a
   * failure nothing that it may have left in a cache is trusted, and
   * memory that only waits for reuse is given back, so that a retry may succeed.
   */
  private async attempt<T>(operation: () => Promise<T>): Promise<T> {
    if (!this.context.weights.streamed) return this.attemptNow(operation);
    const result = this.tail.then(() => this.attemptNow(operation));
    this.tail = result.catch(() => undefined);
    return result;
  }

  private async attemptNow<T>(operation: () => Promise<T>): Promise<T> {
    this.assertUsable();
    await this.ready;
    this.assertUsable();
    try {
      return await operation();
    } catch (error) {
      this.forget();
      throw error;
    }
  }

  /**
   * Like `attempt` for an operation that gives one result after the other. It begins when the first is
   * asked for and holds its turn until the last, or until whoever asks asks no more.
   */
  private async *attemptEach<T>(
    selection: Selection,
    operation: (facts: SelectionFacts) => AsyncIterable<T>,
  ): AsyncGenerator<T> {
    let finish = (): void => undefined;
    if (this.context.weights.streamed) {
      const before = this.tail;
      const over = new Promise<void>((resolve) => {
        finish = resolve;
      });
      this.tail = before.then(() => over);
      await before;
    }
    try {
      this.assertUsable();
      await this.ready;
      for await (const result of operation(this.own(selection))) {
        yield result;
        this.assertUsable();
        this.own(selection); // stale after a merge in between
      }
    } catch (error) {
      this.forget();
      throw error;
    } finally {
      finish();
    }
  }

  /** Drops what a failed operation may have left invalid, and what waits for reuse. */
  private forget(): void {
    this.histograms.destroy();
    this.context.params.destroy();
    this.handle.buffers.trim();
  }

  private issue(issued: Issued): Selection {
    const { center, task, scope, keptPerScope, states } = issued.facts;
    const dispose = (): void => {
      if (this.selections.delete(selection)) this.handle.buffers.release(states);
    };
    const selection: Selection = { center, task, scope, keptPerScope, dispose };
    if (this.disposed) this.handle.buffers.release(states);
    else this.selections.set(selection, issued);
    return selection;
  }

  private generationOf(center: Center): number {
    return center === 'base' ? this.uploadCount : this.uploadCount + this.mergeCount;
  }

  private own(selection: Selection): SelectionFacts {
    const issued = this.selections.get(selection);
    if (!issued) throw invariantError('A selection was used that this group does not hold.');
    if (issued.generation !== this.generationOf(selection.center)) {
      throw invariantError('A selection was used after the weights it was made from had changed.');
    }
    return issued.facts;
  }

  private assertUsable(): void {
    if (this.disposed)
      throw invariantError('A group of checkpoints was used after it was disposed of.');
    this.handle.assertAlive();
  }
}

/** Call inside `withErrorScopes`. */
function groupWeights(
  handle: DeviceHandle,
  spec: GroupSpec,
  maps: readonly ChunkMap[],
  counting: Counting,
  scope: BufferScope,
): GroupWeights {
  if (!spec.streamed) return new ResidentWeights(handle, spec, maps, scope);
  const { read, budgetBytes } = spec.streamed;
  const { minStorageBufferOffsetAlignment: align } = handle.device.limits;
  const needs = groupNeeds(spec, 'F32', counting, align); // theta*, in whatever dtype, is not fixed
  const roomBytes = budgetBytes - bytesBesidePages(needs);
  // Whatever else is held now is not this group's; tables, made a moment ago, are.
  handle.buffers.limit(handle.buffers.usedBytes - scope.byteLength + budgetBytes);
  return new StreamedWeights(handle, spec, maps, read, roomBytes);
}
