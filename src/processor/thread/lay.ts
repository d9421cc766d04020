/** Twin of shaders/apply.wgsl: weights of this part of a chunk as float32, for the evaluator. */
import { VALUE_CODECS } from '@/codecs/value-codecs';
import { FLOAT_DTYPES } from '@/tensor/dtype';
import { type Block } from '../parts/blocks';
import { type DeltaOf, type StoredAs, type Thresholds } from '../parts/questions';
import { type BlockMath, type Stored } from '../simd/block-math';
import { eachDelta } from './count';
import { keptIndices } from './kept';
import { type Shard } from './shard';

/** Values as they are stored, widened. */
export function layPlain(shard: Shard, chunk: number, stored: Stored): Float32Array<ArrayBuffer> {
  const out = new Float32Array(shard.partSize(chunk));
  for (const { partStart, elementCount } of shard.blocks[chunk]!) {
    shard.math.widen(stored, partStart, elementCount, out.subarray(partStart));
  }
  return out;
}

/**
 * center + the stored value of u where kept, the center's own bits elsewhere (PERU-FFT, arXiv
 * 2310.01886, eq. 4).
 *
 * Bytes an element: center and task read, 4 (halves) to 8; 4 written. About 10 operations, 2 a kept
 * entry.
 */
export function laySparse(
  shard: Shard,
  chunk: number,
  of: DeltaOf,
  thresholds: Thresholds,
  storedAs: StoredAs,
): Float32Array<ArrayBuffer> {
  const out = new Float32Array(shard.partSize(chunk));
  const { math } = shard;
  eachDelta(shard, chunk, of, (block) => {
    const { partStart, elementCount } = block;
    out.set(math.centers.subarray(0, elementCount), partStart);
    addKept(math, block, keptIndices(math, thresholds, block), storedAs, out);
  });
  return out;
}

/** Puts center + the stored value of u in place of what is kept of a block. */
function addKept(
  math: BlockMath,
  { partStart, elementCount, tensor }: Block,
  kept: Uint32Array,
  { valueDtype, scales }: StoredAs,
  out: Float32Array,
): void {
  const dtype = FLOAT_DTYPES.find((name) => name === valueDtype);
  if (dtype !== undefined) {
    // All of the block by vectors: faster than what is kept of it one by one.
    const sums = math.sums(dtype, elementCount);
    for (let k = 0; k < kept.length; k++) out[partStart + kept[k]!] = sums[kept[k]!]!;
    return;
  }
  const { loaded } = VALUE_CODECS[valueDtype];
  const scale = scales?.[tensor] ?? null;
  for (const i of kept) out[partStart + i] = math.centers[i]! + loaded(math.u[i]!, scale);
}
