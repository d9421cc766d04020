/** T5's relative positions and attention masks as the inputs of its graphs. Pure. */
import { type T5Config } from './t5-config';

/** The smallest float rather than -Infinity: a row of the softmax never becomes NaN. */
const HIDDEN = -3.4028234663852886e38;

/**
 * Bucket of each distance key - query, [length, length] for queries by keys. The near half of
 * the buckets holds one distance each, the far half grows with the logarithm up to
 * `maxDistance`; the encoder's buckets are split evenly by sign, the decoder has none for keys
 * that come later (transformers, modeling_t5.py, _relative_position_bucket).
 */
export function relativeBuckets(
  length: number,
  side: 'encoder' | 'decoder',
  config: Pick<T5Config, 'bucketCount' | 'maxDistance'>,
): Int32Array {
  const signed = side === 'encoder';
  const count = signed ? Math.floor(config.bucketCount / 2) : config.bucketCount;
  const byDistance = Int32Array.from({ length }, (_, distance) =>
    distanceBucket(distance, count, config.maxDistance),
  );
  return Int32Array.from({ length: length * length }, (_, index) => {
    const offset = (index % length) - Math.floor(index / length);
    if (offset <= 0) return byDistance[-offset]!;
    return signed ? count + byDistance[offset]! : 0;
  });
}

/** Additive mask of a decoder's self-attention, [1, 1, length, length]: nothing later is seen. */
export function laterHidden(length: number): Float32Array {
  return Float32Array.from({ length: length * length }, (_, index) =>
    index % length > Math.floor(index / length) ? HIDDEN : 0,
  );
}

/**
 * Additive mask [rows, 1, queryCount, keyCount] that hides the padding after each row's tokens.
 *
 * @param lengths tokens of each row
 */
export function paddingHidden(
  lengths: readonly number[],
  queryCount: number,
  keyCount: number,
): Float32Array {
  const mask = new Float32Array(lengths.length * queryCount * keyCount);
  for (let i = 0; i < lengths.length * queryCount; i++) {
    const length = lengths[Math.floor(i / queryCount)]!;
    mask.fill(HIDDEN, i * keyCount + length, (i + 1) * keyCount);
  }
  return mask;
}

/** In float32 as torch has it, because at a bucket's edge the last bit decides. */
function distanceBucket(distance: number, count: number, maxDistance: number): number {
  const exact = Math.floor(count / 2);
  if (distance < exact) return distance;
  const f = Math.fround;
  const share = f(f(Math.log(f(distance / exact))) / f(Math.log(maxDistance / exact)));
  return Math.min(exact + Math.trunc(f(share * (count - exact))), count - 1);
}
