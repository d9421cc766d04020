import { type MemoryPlan } from '@/tensor/engine';
import { type AdapterPlan } from '@/formats/lora/adapter-plan';
import { type CheckpointTensors } from '@/tensor/checkpoint-tensors';

const F32_BYTES = 4;

/**
 * What adapters take on the engine: their factors as they are stored, and the SVD's factors in
 * float32, which are as large; where they are scored, the base as it is stored while its float32
 * weights are laid out. Nothing of it is streamed: adapters are small.
 */
export function adapterMemory(
  base: CheckpointTensors,
  plan: AdapterPlan,
  isScored: boolean,
): MemoryPlan {
  let factorBytes = 0;
  let svdBytes = 0;
  for (const { modules } of plan.adapters) {
    for (const { left, right, rows, columns, rank } of modules) {
      factorBytes += left.tensor.byteLength + right.tensor.byteLength;
      svdBytes += F32_BYTES * rank * (rows + columns);
    }
  }
  let baseBytes = 0;
  for (const { elementCount, byteLength } of base.tensors.values()) {
    baseBytes += byteLength + F32_BYTES * elementCount;
  }
  const parts = [
    { label: 'Adapters', bytes: factorBytes },
    { label: 'Their SVD', bytes: svdBytes },
    ...(isScored ? [{ label: 'Base model', bytes: baseBytes }] : []),
  ].sort((a, b) => b.bytes - a.bytes);
  const peakBytes = parts.reduce((sum, { bytes }) => sum + bytes, 0);
  return { mode: 'resident', peakBytes, leastBytes: peakBytes, parts };
}
