/**
 * Weights that are read when an operation reaches them: pages of one checkpoint and one chunk in a
 * buffer each, in the room that the budget leaves. Bytes that arrive are written to the GPU at once;
 * in memory lie only those of the reads under way, at most one chunk's of the checkpoints at work.
 */
import { invariantError } from '@/core/errors';
import { type BufferScope } from '@/gpu/buffers';
import { type DeviceHandle } from '@/gpu/device';
import { withErrorScopes } from '@/gpu/error-scopes';
import { type PassRecorder } from '@/gpu/recorder';
import { bytesPerElement } from '@/tensor/dtype';
import { type GroupShape, type StreamedSpec } from '@/tensor/engine';
import { PageStream, type Wanted } from '@/tensor/page-stream';
import {
  arenaRuns,
  dtypeOf,
  type GroupWeights,
  type TaskArena,
  type Values,
  weightUsage,
  writeChunk,
} from './chunk-buffers';
import { type ChunkMap } from './chunk-map';

interface Page {
  readonly values: Values;
  readonly scope: BufferScope;
}

export class StreamedWeights implements GroupWeights {
  readonly streamed = true;
  private readonly pages: PageStream<Page>;
  private disposed = false;

  /**
   * @param maps of the chunks
   * @param roomBytes what the budget leaves for theta* and pages
   */
  constructor(
    private readonly handle: DeviceHandle,
    private readonly shape: GroupShape,
    private readonly maps: readonly ChunkMap[],
    private readonly read: StreamedSpec['read'],
    private readonly roomBytes: number,
  ) {
    const source = {
      chunks: shape.chunks,
      bytesOf: (checkpoint: number, chunkIndex: number) => this.bytesOf(checkpoint, chunkIndex),
      load: (checkpoint: number, chunkIndex: number) => this.load(checkpoint, chunkIndex),
      drop: ({ scope }: Page) => {
        if (this.disposed) scope.destroy();
        else scope.release();
      },
      passed: () => handle.alive(handle.device.queue.onSubmittedWorkDone()).then(() => undefined),
    };
    this.pages = new PageStream(source, roomBytes);
  }

  reserve(mergedBytes: number): void {
    this.pages.setRoom(this.roomBytes - mergedBytes);
  }

  upload(): never {
    throw invariantError('Weights were uploaded to a group that reads its own.');
  }

  checkpoint(checkpoint: number, chunkIndex: number): Values {
    return this.pages.page(checkpoint, chunkIndex).values;
  }

  walk(checkpoints: readonly number[], wanted?: Wanted): AsyncGenerator<number> {
    return this.pages.walk(checkpoints, wanted);
  }

  arena(recorder: PassRecorder, chunkIndex: number, spare: GPUBuffer | null): TaskArena {
    if (!spare) throw invariantError('Tasks were to be joined without room for them.');
    const { minStorageBufferOffsetAlignment: align } = this.handle.device.limits;
    const { runs } = arenaRuns(this.shape.chunks[chunkIndex]!, this.maps[chunkIndex]!, align);
    recorder.endPass();
    const tasks = runs.map(({ dtype, offset, size }, t) => {
      const { buffer } = this.checkpoint(t + 1, chunkIndex).slice;
      recorder.encoder.copyBufferToBuffer(buffer, 0, spare, offset, size);
      return { slice: { buffer: spare, offset, size }, dtype };
    });
    return { buffer: spare, tasks };
  }

  dispose(): void {
    this.disposed = true;
    this.pages.dispose();
  }

  private bytesOf(checkpoint: number, chunkIndex: number): number {
    const dtype = dtypeOf(this.shape.chunks, checkpoint, chunkIndex);
    return this.maps[chunkIndex]!.paddedCount * bytesPerElement(dtype);
  }

  private async load(checkpoint: number, chunkIndex: number): Promise<Page> {
    const bytes = await this.read(checkpoint, chunkIndex);
    if (this.disposed) throw invariantError('Weights arrived after their group was disposed of.');
    const size = this.bytesOf(checkpoint, chunkIndex);
    const dtype = dtypeOf(this.shape.chunks, checkpoint, chunkIndex);
    const scope = this.handle.buffers.scope();
    try {
      const values = await withErrorScopes(this.handle, 'loading weights', () => {
        const label = `checkpoint ${checkpoint} chunk ${chunkIndex}`;
        const buffer = scope.create(label, size, weightUsage());
        const slice = { buffer, offset: 0, size };
        const chunk = this.shape.chunks[chunkIndex]!;
        writeChunk(this.handle, { slice, dtype }, chunk, this.maps[chunkIndex]!, bytes);
        return { slice, dtype };
      });
      return { values, scope };
    } catch (error) {
      scope.destroy();
      throw error;
    }
  }
}
