/** What a group takes in typed arrays: weights as their files hold them, theta* in float32. */
import { type MemoryNeeds } from '@/tensor/choose-plan';
import { bytesPerElement, type FloatDtype } from '@/tensor/dtype';
import { type GroupShape } from '@/tensor/engine';
import { type Chunk } from '@/tensor/layout';

const F32_BYTES = 4;

/** Bytes of one checkpoint's part of a chunk. */
export function pageBytes({ elementCount }: Chunk, dtype: FloatDtype): number {
  return elementCount * bytesPerElement(dtype);
}

export function mergedBytes({ layout }: Pick<GroupShape, 'layout'>): number {
  return F32_BYTES * layout.elementCount;
}

/** The arrays of one step, of a chunk's size, are not counted. */
export function groupNeeds(shape: GroupShape): MemoryNeeds {
  const chunkBytes = shape.chunks.map((chunk) =>
    chunk.dtypes.reduce((sum, dtype) => sum + pageBytes(chunk, dtype), 0),
  );
  const weights = chunkBytes.reduce((sum, bytes) => sum + bytes, 0);
  return {
    merged: mergedBytes(shape),
    tables: 0,
    weights,
    residentWork: 0,
    pages: weights,
    largestChunk: chunkBytes.reduce((most, bytes) => Math.max(most, bytes), 0),
    streamedWork: 0,
  };
}
