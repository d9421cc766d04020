/** Weights that all stay on the GPU: a buffer for the base and an arena of all tasks a chunk. */
import { invariantError } from '@/core/errors';
import { type BufferScope } from '@/gpu/buffers';
import { type DeviceHandle } from '@/gpu/device';
import { bytesPerElement } from '@/tensor/dtype';
import { type GroupSpec } from '@/tensor/engine';
import { type Chunk } from '@/tensor/layout';
import {
  arenaRuns,
  type GroupWeights,
  type TaskArena,
  type Values,
  weightUsage,
  writeChunk,
} from './chunk-buffers';
import { type ChunkMap } from './chunk-map';

interface ChunkBuffers {
  readonly base: Values;
  readonly arena: TaskArena;
}

export class ResidentWeights implements GroupWeights {
  readonly streamed = false;
  private readonly chunks: readonly ChunkBuffers[];

  /**
   * Creates base and arenas; call inside `withErrorScopes`.
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
    this.chunks = spec.chunks.map((chunk) => this.createChunk(chunk));
  }

  upload(checkpoint: number, chunkIndex: number, bytes: Uint8Array<ArrayBuffer>): void {
    const values = this.checkpoint(checkpoint, chunkIndex);
    writeChunk(this.handle, values, this.spec.chunks[chunkIndex]!, this.maps[chunkIndex]!, bytes);
  }

  checkpoint(checkpoint: number, chunkIndex: number): Values {
    const chunk = this.chunks[chunkIndex];
    const values = checkpoint === 0 ? chunk?.base : chunk?.arena.tasks[checkpoint - 1];
    if (!values)
      throw invariantError(`There is no chunk ${chunkIndex} of checkpoint ${checkpoint}.`);
    return values;
  }

  walk(): readonly number[] {
    return this.spec.chunks.map(({ index }) => index);
  }

  arena(_: unknown, chunkIndex: number): TaskArena {
    return this.chunks[chunkIndex]!.arena;
  }

  reserve(): void {
    // Buffers of all weights are there; theta* is asked for beside them.
  }

  dispose(): void {
    // The group's scope holds the buffers.
  }

  private createChunk(chunk: Chunk): ChunkBuffers {
    const { index, dtypes } = chunk;
    const [baseDtype] = dtypes;
    if (!baseDtype || dtypes.length !== this.spec.taskCount + 1) {
      throw invariantError(`Chunk ${index} names ${dtypes.length} dtypes for its checkpoints.`);
    }
    const { minStorageBufferOffsetAlignment: align } = this.handle.device.limits;
    const map = this.maps[index]!;
    const { runs, byteLength } = arenaRuns(chunk, map, align);
    const size = map.paddedCount * bytesPerElement(baseDtype);
    const base = this.scope.create(`base chunk ${index}`, size, weightUsage());
    const buffer = this.scope.create(`tasks chunk ${index}`, byteLength, weightUsage());
    const tasks = runs.map(({ dtype, ...run }) => ({ slice: { buffer, ...run }, dtype }));
    return {
      base: { slice: { buffer: base, offset: 0, size }, dtype: baseDtype },
      arena: { buffer, tasks },
    };
  }
}
