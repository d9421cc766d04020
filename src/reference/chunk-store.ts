/**
 * Checkpoints' bytes and theta*, chunk by chunk: uploaded and kept, or read when they are needed and
 * kept while the budget allows. theta* lies in float32, whatever its dtype.
 */
import { type FloatDtype } from '@/tensor/dtype';
import { type GroupSpec, type StreamedSpec } from '@/tensor/engine';
import { PeruError } from '@/core/errors';
import { decodeFloats } from '@/tensor/half';
import { PageStream, type Wanted } from '@/tensor/page-stream';
import { type MemoryCount } from '@/core/memory-count';
import { mergedBytes, pageBytes } from './memory-plan';

type Bytes = Uint8Array<ArrayBuffer>;

export class ChunkStore {
  /** One map a chunk, from checkpoint index to bytes. */
  private readonly uploads: Map<number, Bytes>[];
  private readonly pages: PageStream<Bytes> | null;
  private merged: Float32Array[] = [];
  private isMerged = false;
  private heldBytes = 0;

  constructor(
    private readonly spec: GroupSpec,
    private readonly memory: MemoryCount,
  ) {
    this.uploads = spec.chunks.map(() => new Map<number, Bytes>());
    this.pages = spec.streamed ? this.openPages(spec.streamed) : null;
  }

  /** @throws PeruError `internal` when the length is not that of the chunk, or nothing is kept */
  put(checkpoint: number, chunkIndex: number, bytes: Bytes): void {
    if (this.pages) throw invariantError('Weights were uploaded to a group that reads its own.');
    this.check(checkpoint, chunkIndex, bytes);
    const before = this.uploads[chunkIndex]!.get(checkpoint)?.byteLength ?? 0;
    this.uploads[chunkIndex]!.set(checkpoint, bytes.slice());
    this.count(bytes.byteLength - before);
  }

  /** Chunk by chunk, with the values of `checkpoints` at hand until the next. */
  async *walk(checkpoints: readonly number[], wanted?: Wanted): AsyncGenerator<number> {
    if (this.pages) yield* this.pages.walk(checkpoints, wanted);
    else for (const { index } of this.spec.chunks) yield index;
  }

  /** Float32 values of a checkpoint in a chunk that is visited; not to be written to. */
  values(checkpoint: number, chunkIndex: number): Float32Array {
    const dtype = this.dtypeOf(checkpoint, chunkIndex);
    const bytes = this.pages
      ? this.pages.page(checkpoint, chunkIndex)
      : this.uploads[chunkIndex]!.get(checkpoint);
    if (!bytes)
      throw invariantError(`Checkpoint ${checkpoint} has no bytes for chunk ${chunkIndex}.`);
    // Stored bytes start at offset 0 of their own buffer, so float32 needs no copy.
    return dtype === 'F32' ? new Float32Array(bytes.buffer) : decodeFloats(bytes, dtype);
  }

  mergedValues(chunkIndex: number): Float32Array {
    if (!this.isMerged) throw invariantError('theta* was asked for before any merge.');
    return this.merged[chunkIndex]!;
  }

  /** Makes theta* chunk by chunk; a failure on the way leaves none. */
  async remake(work: (put: (chunkIndex: number, values: Float32Array) => void) => Promise<void>) {
    this.isMerged = false;
    this.pages?.setRoom(this.roomBytes() - mergedBytes(this.spec));
    try {
      await work((chunkIndex, values) => {
        this.count(values.byteLength - (this.merged[chunkIndex]?.byteLength ?? 0));
        this.merged[chunkIndex] = values;
      });
      this.isMerged = true;
    } catch (error) {
      this.count(-this.merged.reduce((sum, { byteLength }) => sum + byteLength, 0));
      this.merged = [];
      this.pages?.setRoom(this.roomBytes());
      throw error;
    }
  }

  dispose(): void {
    this.pages?.dispose();
    this.uploads.forEach((chunk) => {
      chunk.clear();
    });
    this.merged = [];
    this.isMerged = false;
    this.count(-this.heldBytes);
  }

  private openPages({ read }: StreamedSpec): PageStream<Bytes> {
    const load = async (checkpoint: number, chunkIndex: number): Promise<Bytes> => {
      const arrived = await read(checkpoint, chunkIndex);
      this.check(checkpoint, chunkIndex, arrived);
      // A view would keep all of its buffer, and `values` takes the buffer for the bytes.
      const isWhole = arrived.buffer.byteLength === arrived.byteLength;
      const bytes = isWhole ? arrived : arrived.slice();
      this.count(bytes.byteLength);
      return bytes;
    };
    const source = {
      chunks: this.spec.chunks,
      bytesOf: (checkpoint: number, chunkIndex: number) =>
        pageBytes(this.spec.chunks[chunkIndex]!, this.dtypeOf(checkpoint, chunkIndex)),
      load,
      drop: (bytes: Bytes) => {
        this.count(-bytes.byteLength);
      },
    };
    return new PageStream(source, this.roomBytes());
  }

  private roomBytes(): number {
    return this.spec.streamed?.budgetBytes ?? Infinity;
  }

  private check(checkpoint: number, chunkIndex: number, { byteLength }: Bytes): void {
    const dtype = this.dtypeOf(checkpoint, chunkIndex);
    const expected = pageBytes(this.spec.chunks[chunkIndex]!, dtype);
    if (byteLength !== expected) {
      throw invariantError(`Chunk ${chunkIndex} takes ${expected} bytes, got ${byteLength}.`);
    }
  }

  private dtypeOf(checkpoint: number, chunkIndex: number): FloatDtype {
    const dtype = this.spec.chunks[chunkIndex]?.dtypes[checkpoint];
    if (!dtype)
      throw invariantError(`There is no chunk ${chunkIndex} of checkpoint ${checkpoint}.`);
    return dtype;
  }

  private count(byteLength: number): void {
    this.heldBytes += byteLength;
    if (byteLength >= 0) this.memory.add(byteLength);
    else this.memory.remove(-byteLength);
  }
}

function invariantError(message: string): PeruError {
  return new PeruError('internal', message, 'Please report this fault in Peru.');
}
