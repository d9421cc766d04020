/** What a group takes in typed arrays: weights and theta* as their files hold them. */
import { type MemoryNeeds, SELECTIONS_AT_ONCE } from '@/tensor/choose-plan';
import { bytesPerElement, type FloatDtype } from '@/tensor/dtype';
import { type GroupShape, type Scope } from '@/tensor/engine';
import { type Chunk } from '@/tensor/layout';
import { digitsOf, FIRST_DIGIT } from '../parts/search';

const COUNT_BYTES = 4;

/** What decides how much room counts take. */
export interface Counting {
  readonly threadCount: number;
  /** `JOINT_FROM` (`search.ts`). */
  readonly jointFrom: number;
}

/** Bytes of one checkpoint's part of a chunk. */
export function pageBytes({ elementCount }: Chunk, dtype: FloatDtype): number {
  return elementCount * bytesPerElement(dtype);
}

export function mergedBytes({ layout }: Pick<GroupShape, 'layout'>, dtype: FloatDtype): number {
  return bytesPerElement(dtype) * layout.elementCount;
}

/** Bytes of the counts of selections made together, global or a tensor, in all threads. */
export function countBytes(
  { layout }: Pick<GroupShape, 'layout'>,
  { threadCount, jointFrom }: Counting,
): number {
  const tensors = layout.tensors.length;
  const refined = (count: number, scope: Scope, scopeCount: number): number[] =>
    digitsOf(scope, layout.elementCount, count * jointFrom).map(
      ({ bins }) => count * bins * scopeCount,
    );
  const together = Array.from({ length: SELECTIONS_AT_ONCE }, (_, i) => i + 1).flatMap((count) => [
    ...refined(count, 'global', 1),
    ...refined(count, 'tensor', tensors),
  ]);
  // The first digit is the same for all of them.
  const most = Math.max(FIRST_DIGIT.bins * (1 + tensors), ...together);
  return threadCount * COUNT_BYTES * most;
}

/** The arrays of one step, of a block's size or a part's, are not counted. */
export function groupNeeds(
  shape: GroupShape,
  mergedDtype: FloatDtype,
  counting: Counting,
): MemoryNeeds {
  const chunkBytes = shape.chunks.map((chunk) =>
    chunk.dtypes.reduce((sum, dtype) => sum + pageBytes(chunk, dtype), 0),
  );
  const weights = chunkBytes.reduce((sum, bytes) => sum + bytes, 0);
  return {
    merged: mergedBytes(shape, mergedDtype),
    tables: countBytes(shape, counting),
    weights,
    residentWork: 0,
    pages: weights,
    largestChunk: chunkBytes.reduce((most, bytes) => Math.max(most, bytes), 0),
    streamedWork: 0,
  };
}
