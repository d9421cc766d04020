/**
 * A group's weights on the GPU, in their files' dtypes, placed by the chunk's map. A chunk has one buffer for the base, one
 * arena for all tasks, and one for theta*: merging binds five buffers however many tasks there are.
 */
import { type BufferScope } from '@/gpu/buffers';
import { type DeviceHandle } from '@/gpu/device';
import { type BufferSlice } from '@/gpu/recorder';
import { bytesPerElement, type FloatDtype } from '@/tensor/dtype';
import { type Center, type GroupSpec } from '@/tensor/engine';
import { type Chunk } from '@/tensor/layout';
import { type ChunkMap, type PlacedRun, wholeUnits } from './chunk-map';
import { fault } from './fault';

/** Codes of shaders/shared/dtype.wgsl. */
export const DTYPE_CODES: Readonly<Record<FloatDtype, number>> = { F32: 0, F16: 1, BF16: 2 };

/** A run of values of one dtype. */
export interface Values {
  readonly slice: BufferSlice;
  readonly dtype: FloatDtype;
}

interface ChunkBuffers {
  readonly base: Values;
  readonly arena: GPUBuffer;
  readonly tasks: readonly Values[];
}

export class GroupBuffers {
  private readonly chunks: readonly ChunkBuffers[];
  private readonly mergedScope: BufferScope;
  private merged: readonly Values[] | null = null;

  /**
   * Creates base and arenas; call inside `guarded`.
   *
   * @param maps of the chunks
   * @param scope the group's, which releases them
   */
  constructor(
    private readonly handle: DeviceHandle,
    private readonly spec: GroupSpec,
    private readonly maps: readonly ChunkMap[],
    private readonly scope: BufferScope,
  ) {
    this.mergedScope = handle.buffers.scope();
    this.chunks = spec.chunks.map((chunk) => this.createChunk(chunk));
  }

  /** @throws PeruError `internal` when the length is not that of the chunk */
  upload(checkpoint: number, chunkIndex: number, bytes: Uint8Array<ArrayBuffer>): void {
    const { slice, dtype } = this.checkpoint(checkpoint, chunkIndex);
    const expected = this.spec.chunks[chunkIndex]!.elementCount * bytesPerElement(dtype);
    if (bytes.byteLength !== expected) {
      throw fault(`Chunk ${chunkIndex} takes ${expected} bytes, got ${bytes.byteLength}.`);
    }
    for (const run of this.maps[chunkIndex]!.runs) this.write(slice, dtype, run, bytes);
  }

  checkpoint(checkpoint: number, chunkIndex: number): Values {
    const chunk = this.chunks[chunkIndex];
    const values = checkpoint === 0 ? chunk?.base : chunk?.tasks[checkpoint - 1];
    if (!values) throw fault(`There is no chunk ${chunkIndex} of checkpoint ${checkpoint}.`);
    return values;
  }

  center(center: Center, chunkIndex: number): Values {
    if (center === 'base') return this.checkpoint(0, chunkIndex);
    if (!this.merged) throw fault('theta* was asked for before any merge.');
    return this.merged[chunkIndex]!;
  }

  /** All tasks of a chunk; rows of the task table say where each lies. */
  arena(chunkIndex: number): GPUBuffer {
    return this.chunks[chunkIndex]!.arena;
  }

  /** Buffers for theta* in `dtype`, one a chunk; the old ones go. Call inside `guarded`. */
  replaceMerged(dtype: FloatDtype): readonly Values[] {
    if (this.merged?.[0]?.dtype === dtype) return this.merged;
    this.dropMerged();
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC;
    return (this.merged = this.spec.chunks.map(({ index }) => {
      const size = this.maps[index]!.paddedCount * bytesPerElement(dtype);
      const buffer = this.mergedScope.create(`theta* chunk ${index}`, size, usage);
      return { slice: { buffer, offset: 0, size }, dtype };
    }));
  }

  dropMerged(): void {
    this.mergedScope.release();
    this.merged = null;
  }

  /** Instead of `dropMerged` after a failure: buffers may be invalid, theta* half written. */
  destroyMerged(): void {
    this.mergedScope.destroy();
    this.merged = null;
  }

  /** WebGPU writes multiples of four bytes; the last one joins the zeros that pad the run. */
  private write(
    slice: BufferSlice,
    dtype: FloatDtype,
    { chunkStart, bufferStart, elementCount }: PlacedRun,
    bytes: Uint8Array<ArrayBuffer>,
  ): void {
    const { queue } = this.handle.device;
    const each = bytesPerElement(dtype);
    const start = chunkStart * each;
    const size = elementCount * each;
    const target = slice.offset + bufferStart * each;
    const whole = size - (size % 4);
    if (whole > 0) queue.writeBuffer(slice.buffer, target, bytes, start, whole);
    const tail = new Uint8Array(wholeUnits(elementCount) * each - whole);
    if (tail.length === 0) return;
    tail.set(bytes.subarray(start + whole, start + size));
    queue.writeBuffer(slice.buffer, target + whole, tail);
  }

  private createChunk({ index, dtypes }: Chunk): ChunkBuffers {
    const [baseDtype, ...taskDtypes] = dtypes;
    if (!baseDtype || taskDtypes.length !== this.spec.taskCount) {
      throw fault(`Chunk ${index} names ${dtypes.length} dtypes for its checkpoints.`);
    }
    // Runs start where bindings may, so that a single task binds as a part of the arena.
    const align = this.handle.device.limits.minStorageBufferOffsetAlignment;
    const { paddedCount } = this.maps[index]!;
    let end = 0;
    const runs = taskDtypes.map((dtype) => {
      const run = { offset: end, size: paddedCount * bytesPerElement(dtype), dtype };
      end += Math.ceil(run.size / align) * align;
      return run;
    });
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
    const size = paddedCount * bytesPerElement(baseDtype);
    const buffer = this.scope.create(`base chunk ${index}`, size, usage);
    const arena = this.scope.create(`tasks chunk ${index}`, end, usage);
    return {
      base: { slice: { buffer, offset: 0, size }, dtype: baseDtype },
      arena,
      tasks: runs.map(({ dtype, ...run }) => ({ slice: { buffer: arena, ...run }, dtype })),
    };
  }
}
