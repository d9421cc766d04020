/** Checkpoints' bytes and theta*, chunk by chunk, in their own dtypes. */
import { bytesPerElement, type FloatDtype } from '@/tensor/dtype';
import { type GroupSpec } from '@/tensor/engine';
import { PeruError } from '@/tensor/errors';
import { decodeFloats } from '@/tensor/half';
import { type MemoryCount } from './memory-count';

export class ChunkStore {
  /** One map a chunk, from checkpoint index to bytes. */
  private readonly uploads: Map<number, Uint8Array<ArrayBuffer>>[];
  private merged: Float32Array[] | null = null;
  private heldBytes = 0;

  constructor(
    private readonly spec: GroupSpec,
    private readonly memory: MemoryCount,
  ) {
    this.uploads = spec.chunks.map(() => new Map<number, Uint8Array<ArrayBuffer>>());
  }

  /** @throws PeruError `internal` when the length is not that of the chunk */
  put(checkpoint: number, chunkIndex: number, bytes: Uint8Array<ArrayBuffer>): void {
    const dtype = this.dtypeOf(checkpoint, chunkIndex);
    const expected = this.spec.chunks[chunkIndex]!.elementCount * bytesPerElement(dtype);
    if (bytes.byteLength !== expected) {
      throw fault(`Chunk ${chunkIndex} takes ${expected} bytes, got ${bytes.byteLength}.`);
    }
    const before = this.uploads[chunkIndex]!.get(checkpoint)?.byteLength ?? 0;
    this.uploads[chunkIndex]!.set(checkpoint, bytes.slice());
    this.count(expected - before);
  }

  /** Float32 values of a checkpoint in a chunk; not to be written to. */
  values(checkpoint: number, chunkIndex: number): Float32Array {
    const dtype = this.dtypeOf(checkpoint, chunkIndex);
    const bytes = this.uploads[chunkIndex]!.get(checkpoint);
    if (!bytes) throw fault(`Checkpoint ${checkpoint} has no bytes for chunk ${chunkIndex}.`);
    // Stored bytes start at offset 0 of their own buffer, so float32 needs no copy.
    return dtype === 'F32' ? new Float32Array(bytes.buffer) : decodeFloats(bytes, dtype);
  }

  mergedValues(chunkIndex: number): Float32Array {
    if (!this.merged) throw fault('theta* was asked for before any merge.');
    return this.merged[chunkIndex]!;
  }

  setMerged(chunks: Float32Array[] | null): void {
    const bytesOf = (list: Float32Array[] | null): number =>
      list?.reduce((sum, chunk) => sum + chunk.byteLength, 0) ?? 0;
    this.count(bytesOf(chunks) - bytesOf(this.merged));
    this.merged = chunks;
  }

  dispose(): void {
    this.uploads.forEach((chunk) => {
      chunk.clear();
    });
    this.merged = null;
    this.count(-this.heldBytes);
  }

  private dtypeOf(checkpoint: number, chunkIndex: number): FloatDtype {
    const dtype = this.spec.chunks[chunkIndex]?.dtypes[checkpoint];
    if (!dtype) throw fault(`There is no chunk ${chunkIndex} of checkpoint ${checkpoint}.`);
    return dtype;
  }

  private count(byteLength: number): void {
    this.heldBytes += byteLength;
    if (byteLength >= 0) this.memory.add(byteLength);
    else this.memory.remove(-byteLength);
  }
}

function fault(message: string): PeruError {
  return new PeruError('internal', message, 'Please report this fault in Peru.');
}
