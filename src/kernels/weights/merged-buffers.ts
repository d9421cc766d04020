/** theta* on the GPU: one buffer a chunk, whole as long as the group has one. */
import { invariantError } from '@/core/errors';
import { type BufferScope } from '@/gpu/buffers';
import { type DeviceHandle } from '@/gpu/device';
import { bytesPerElement, type FloatDtype } from '@/tensor/dtype';
import { type ChunkMap } from './chunk-map';
import { type Values } from './chunk-buffers';

export class MergedBuffers {
  private readonly scope: BufferScope;
  private chunks: readonly Values[] | null = null;

  constructor(
    handle: DeviceHandle,
    private readonly maps: readonly ChunkMap[],
  ) {
    this.scope = handle.buffers.scope();
  }

  /** @throws PeruError `internal` before any merge */
  chunk(chunkIndex: number): Values {
    if (!this.chunks) throw invariantError('theta* was asked for before any merge.');
    return this.chunks[chunkIndex]!;
  }

  /** Bytes of theta* in a dtype. */
  bytesIn(dtype: FloatDtype): number {
    return this.maps.reduce((sum, map) => sum + map.paddedCount * bytesPerElement(dtype), 0);
  }

  /** Buffers for theta* in `dtype`; old ones of another dtype go. Call inside `withErrorScopes`. */
  replace(dtype: FloatDtype): readonly Values[] {
    if (this.chunks?.[0]?.dtype === dtype) return this.chunks;
    this.drop();
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC;
    return (this.chunks = this.maps.map(({ paddedCount }, index) => {
      const size = paddedCount * bytesPerElement(dtype);
      const buffer = this.scope.create(`theta* chunk ${index}`, size, usage);
      return { slice: { buffer, offset: 0, size }, dtype };
    }));
  }

  drop(): void {
    this.scope.release();
    this.chunks = null;
  }

  /** Instead of `drop` after a failure: buffers may be invalid, theta* half written. */
  destroy(): void {
    this.scope.destroy();
    this.chunks = null;
  }
}
