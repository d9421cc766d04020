import { type CheckpointTensors } from '@/tensor/checkpoint-tensors';
import { bytesPerElement, type FloatDtype } from '@/tensor/dtype';
import { type Engine, type MemoryPlan } from '@/tensor/engine';
import { type Chunk, type FlatLayout, planChunks } from '@/tensor/layout';

export interface ChunkSpec {
  readonly layout: FlatLayout;
  readonly dtypeOf: (checkpointIndex: number, name: string) => FloatDtype;
  readonly checkpoints: readonly CheckpointTensors[];
}

/**
 * Cuts a group into chunks as large as the device takes them, or, where all of them do not fit
 * the budget together, small enough to be streamed within it.
 *
 * @returns a plan that needs more than the budget where not even streaming fits
 */
export function planChunksFor(
  engine: Engine,
  { layout, dtypeOf, checkpoints }: ChunkSpec,
  mergedDtype: FloatDtype,
  budgetBytes: number,
): { readonly chunks: readonly Chunk[]; readonly memory: MemoryPlan } {
  const taskCount = checkpoints.length - 1;
  const planned = (maxElements: number, budget: number) => {
    const chunks = planChunks(layout, checkpoints.length, dtypeOf, maxElements);
    const memory = engine.planMemory({ layout, chunks, taskCount }, mergedDtype, budget);
    return { chunks, memory };
  };
  const resident = planned(engine.maxChunkElements(taskCount), Infinity);
  if (resident.memory.peakBytes <= budgetBytes) return resident;
  // A budget below theta* can not be met: chunks small enough for it would be countless.
  const mergedBytes = bytesPerElement(mergedDtype) * layout.elementCount;
  const chunkBudget = Math.max(budgetBytes, mergedBytes);
  const streamed = planned(engine.maxChunkElements(taskCount, chunkBudget), budgetBytes);
  if (streamed.memory.leastBytes <= budgetBytes) return streamed;
  // Where counts and theta* take most of the budget, its share of it is more than they leave.
  return planned(engine.maxChunkElements(taskCount, mergedBytes), budgetBytes);
}
