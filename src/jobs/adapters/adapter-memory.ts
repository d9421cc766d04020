import { type MemoryPlan } from '@/tensor/engine';
import { type AdapterPlan } from '@/formats/lora/adapter-plan';
import { type CheckpointTensors } from '@/tensor/checkpoint-tensors';
import { type LowRankProduct } from '@/tensor/low-rank';

const F32_BYTES = 4;

/** What the sums of one weight take: their size, and all terms' ranks together. */
interface Summed {
  readonly rows: number;
  readonly columns: number;
  readonly rank: number;
}

/**
 * What adapters take on the engine: their factors as they are stored, and the SVD's factors in
 * float32, which are as large; both again for the merged adapter; where they are scored, the base as it
 * is stored while its float32 weights are laid out. Nothing of it is streamed: adapters are small.
 */
export function adapterMemory(
  base: CheckpointTensors,
  plan: AdapterPlan,
  isScored: boolean,
): MemoryPlan {
  let factorBytes = 0;
  let svdBytes = 0;
  const merged = new Map<string, Summed>();
  for (const { modules } of plan.adapters) {
    for (const { weight, left, right, rows, columns, rank } of modules) {
      factorBytes += left.tensor.byteLength + right.tensor.byteLength;
      svdBytes += svdBytesOf({ rows, columns, rank });
      const before = merged.get(weight)?.rank ?? 0;
      merged.set(weight, { rows, columns, rank: before + rank });
    }
  }
  const mergedSvdBytes = [...merged.values()].reduce((sum, one) => sum + svdBytesOf(one), 0);
  let baseBytes = 0;
  for (const { elementCount, byteLength } of base.tensors.values()) {
    baseBytes += byteLength + F32_BYTES * elementCount;
  }
  const parts = [
    { label: 'Adapters', bytes: factorBytes },
    { label: 'Their SVD', bytes: svdBytes },
    { label: 'Merged adapter', bytes: factorBytes + mergedSvdBytes },
    ...(isScored ? [{ label: 'Base model', bytes: baseBytes }] : []),
  ].sort((a, b) => b.bytes - a.bytes);
  const peakBytes = parts.reduce((sum, { bytes }) => sum + bytes, 0);
  return { mode: 'resident', peakBytes, leastBytes: peakBytes, parts };
}

/** Bytes of factorised products on the engine, counted as `adapterMemory` does. */
export function productBytes(products: readonly LowRankProduct[]): number {
  let bytes = 0;
  for (const { rows, columns, terms } of products) {
    for (const { left, right } of terms) bytes += left.bytes.byteLength + right.bytes.byteLength;
    const rank = terms.reduce((sum, term) => sum + term.rank, 0);
    bytes += svdBytesOf({ rows, columns, rank });
  }
  return bytes;
}

function svdBytesOf({ rows, columns, rank }: Summed): number {
  return F32_BYTES * Math.min(rank, rows, columns) * (rows + columns);
}
