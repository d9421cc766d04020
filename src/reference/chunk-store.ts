/** Checkpoints' bytes and theta*, chunk by chunk. theta* lies in float32, whatever its dtype. */
import { type MemoryCount } from '@/core/memory-count';
import { invariantError } from '@/core/errors';
import { bytesPerElement } from '@/tensor/dtype';
import { type GroupSpec } from '@/tensor/engine';
import { decodeFloats } from '@/tensor/half';

type Bytes = Uint8Array<ArrayBuffer>;

export class ChunkStore {
  /** One map a chunk, from checkpoint index to bytes. */
  private readonly uploads: Map<number, Bytes>[];
  private merged: Float32Array[] = [];
  private heldBytes = 0;

  constructor(
    private readonly spec: GroupSpec,
    private readonly memory: MemoryCount,
  ) {
    this.uploads = spec.chunks.map(() => new Map<number, Bytes>());
  }

  /** @throws PeruError `internal` when the length is not that of the chunk */
  put(checkpoint: number, chunkIndex: number, bytes: Bytes): void {
    const chunk = this.spec.chunks[chunkIndex];
    const dtype = chunk?.dtypes[checkpoint];
    if (!chunk || !dtype)
      throw invariantError(`There is no chunk ${chunkIndex} of checkpoint ${checkpoint}.`);
    const expected = chunk.elementCount * bytesPerElement(dtype);
    if (bytes.byteLength !== expected)
      throw invariantError(`Chunk ${chunkIndex} takes ${expected} bytes, got ${bytes.byteLength}.`);
    const before = this.uploads[chunkIndex]!.get(checkpoint)?.byteLength ?? 0;
    this.uploads[chunkIndex]!.set(checkpoint, bytes.slice());
    this.count(bytes.byteLength - before);
  }

  /** Float32 values of a checkpoint in a chunk; not to be written to. */
  values(checkpoint: number, chunkIndex: number): Float32Array {
    const bytes = this.uploads[chunkIndex]!.get(checkpoint);
    if (!bytes)
      throw invariantError(`Checkpoint ${checkpoint} has no bytes for chunk ${chunkIndex}.`);
    return decodeFloats(bytes, this.spec.chunks[chunkIndex]!.dtypes[checkpoint]!);
  }

  mergedValues(chunkIndex: number): Float32Array {
    const values = this.merged[chunkIndex];
    if (!values) throw invariantError('theta* was asked for before any merge.');
    return values;
  }

  setMerged(merged: Float32Array[]): void {
    const bytesOf = (all: readonly Float32Array[]): number =>
      all.reduce((sum, { byteLength }) => sum + byteLength, 0);
    this.count(bytesOf(merged) - bytesOf(this.merged));
    this.merged = merged;
  }

  dispose(): void {
    for (const chunk of this.uploads) chunk.clear();
    this.merged = [];
    this.count(-this.heldBytes);
  }

  private count(byteLength: number): void {
    this.heldBytes += byteLength;
    if (byteLength >= 0) this.memory.add(byteLength);
    else this.memory.remove(-byteLength);
  }
}
