/**
 * A group's weights on the GPU, in their files' dtypes. A chunk has one buffer for the base, one
 * arena for all tasks, and one for theta*: merging binds five buffers however many tasks there are.
 */
import { type BufferScope } from '@/gpu/buffers';
import { type DeviceHandle } from '@/gpu/device';
import { type BufferSlice } from '@/gpu/recorder';
import { bytesPerElement, type FloatDtype } from '@/tensor/dtype';
import { type Center, type GroupSpec } from '@/tensor/engine';
import { PeruError } from '@/tensor/errors';
import { type Chunk } from '@/tensor/layout';

/** Elements of a unit, what one invocation handles at a time. */
export const UNIT_ELEMENTS = 8;

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

/** Bytes of a run of whole units. */
function unitBytes(elementCount: number, dtype: FloatDtype): number {
  return Math.ceil(elementCount / UNIT_ELEMENTS) * UNIT_ELEMENTS * bytesPerElement(dtype);
}

export class GroupBuffers {
  private readonly chunks: readonly ChunkBuffers[];
  private readonly mergedScope: BufferScope;
  private merged: readonly Values[] | null = null;

  /**
   * Creates base and arenas; call inside `guarded`.
   *
   * @param scope the group's, which releases them
   */
  constructor(
    private readonly handle: DeviceHandle,
    private readonly spec: GroupSpec,
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
    const { queue } = this.handle.device;
    const whole = expected - (expected % 4);
    queue.writeBuffer(slice.buffer, slice.offset, bytes, 0, whole);
    if (whole === expected) return;
    // WebGPU writes multiples of four bytes; the run is padded, so the last half may bring a zero.
    const tail = new Uint8Array(4);
    tail.set(bytes.subarray(whole));
    queue.writeBuffer(slice.buffer, slice.offset + whole, tail);
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
    return (this.merged = this.spec.chunks.map(({ index, elementCount }) => {
      const size = unitBytes(elementCount, dtype);
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

  private createChunk({ index, elementCount, dtypes }: Chunk): ChunkBuffers {
    const [baseDtype, ...taskDtypes] = dtypes;
    if (!baseDtype || taskDtypes.length !== this.spec.taskCount) {
      throw fault(`Chunk ${index} names ${dtypes.length} dtypes for its checkpoints.`);
    }
    // Runs start where bindings may, so that a single task binds as a part of the arena.
    const align = this.handle.device.limits.minStorageBufferOffsetAlignment;
    let end = 0;
    const runs = taskDtypes.map((dtype) => {
      const run = { offset: end, size: unitBytes(elementCount, dtype), dtype };
      end += Math.ceil(run.size / align) * align;
      return run;
    });
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
    const size = unitBytes(elementCount, baseDtype);
    const buffer = this.scope.create(`base chunk ${index}`, size, usage);
    const arena = this.scope.create(`tasks chunk ${index}`, end, usage);
    return {
      base: { slice: { buffer, offset: 0, size }, dtype: baseDtype },
      arena,
      tasks: runs.map(({ dtype, ...run }) => ({ slice: { buffer: arena, ...run }, dtype })),
    };
  }
}

export function fault(message: string): PeruError {
  return new PeruError('internal', message, 'Please report this fault in Peru.');
}
