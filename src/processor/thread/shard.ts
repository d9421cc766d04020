/** One thread's part of a group: the same part of every chunk, for base, tasks and theta*. */
import { type FloatDtype } from '@/tensor/dtype';
import { type Chunk, type FlatLayout } from '@/tensor/layout';
import { invariantError } from '@/core/errors';
import { type Block, partBlocks, partOf, type Share } from '../parts/blocks';
import { type DeltaOf } from '../parts/questions';
import { type BlockMath, type Stored } from '../simd/block-math';
import { storedIn, storedRoom } from './values';

export interface ShardSpec {
  readonly layout: FlatLayout;
  readonly chunks: readonly Chunk[];
  readonly share: Share;
}

export class Shard {
  /** By chunk; their positions count from the part's start. */
  readonly blocks: readonly (readonly Block[])[];
  readonly tensorCount: number;
  readonly #chunks: readonly Chunk[];
  readonly #sizes: readonly number[];
  readonly #pages = new Map<string, Stored>();
  #merged: (Stored | null)[];
  /** @param math the thread's own, for the block at hand */
  constructor(
    { layout, chunks, share }: ShardSpec,
    readonly math: BlockMath,
  ) {
    this.#chunks = chunks;
    this.blocks = partBlocks(layout, chunks, share);
    this.tensorCount = layout.tensors.length;
    this.#sizes = chunks.map((chunk) => {
      const { start, end } = partOf(chunk, share);
      return end - start;
    });
    this.#merged = chunks.map(() => null);
  }

  /** Elements of this part of a chunk. */
  partSize(chunk: number): number {
    return this.#sizes[chunk]!;
  }

  put(checkpoint: number, chunk: number, buffer: ArrayBuffer): void {
    const dtype = this.#chunks[chunk]!.dtypes[checkpoint]!;
    this.#pages.set(`${chunk}:${checkpoint}`, storedIn(buffer, dtype));
  }

  drop(checkpoint: number, chunk: number): void {
    this.#pages.delete(`${chunk}:${checkpoint}`);
  }

  page(checkpoint: number, chunk: number): Stored {
    const page = this.#pages.get(`${chunk}:${checkpoint}`);
    if (!page) throw invariantError(`Chunk ${chunk} of checkpoint ${checkpoint} is not held.`);
    return page;
  }

  /** Room for theta* of a chunk; what was there is gone. */
  newMerged(chunk: number, dtype: FloatDtype): Stored {
    const room = storedRoom(this.partSize(chunk), dtype);
    this.#merged[chunk] = room;
    return room;
  }

  dropMerged(): void {
    this.#merged = this.#merged.map(() => null);
  }

  merged(chunk: number): Stored {
    const merged = this.#merged[chunk];
    if (!merged) throw invariantError('theta* was asked for before any merge.');
    return merged;
  }

  /** Base or theta*. */
  center(of: DeltaOf, chunk: number): Stored {
    return of.center === 'base' ? this.page(0, chunk) : this.merged(chunk);
  }
}
