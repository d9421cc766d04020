import { type MemoryReport } from '@/plan/preflight';
import { type ByteTally } from '@/core/byte-tally';
import { type MemoryPlan } from '@/tensor/engine';
import { type Platform } from '@/jobs/context/platform';

/** Looking for NaN and Inf, merging, and each task's turn: every byte is read once for each. */
const READS_WHEN_STREAMED = 3;

/** The budget a job has: the visitor's, or what suits the machine. */
export interface Budget {
  readonly bytes: number;
  readonly suggestedBytes: number;
}

/** A plan's memory beside the visitor's budget, and the room on this disk. */
export async function memoryReport(
  plan: MemoryPlan,
  budget: Budget,
  bytes: ByteTally,
  platform: Platform,
): Promise<MemoryReport> {
  const freeBytes = await platform.freeCacheBytes();
  return {
    ...plan,
    budgetBytes: budget.bytes,
    suggestedBudgetBytes: budget.suggestedBytes,
    readsPerByte: plan.mode === 'streamed' ? READS_WHEN_STREAMED : 1,
    // What comes from a Hub is kept, where the browser keeps files at all.
    diskBytes: freeBytes === null ? 0 : bytes.toFetchBytes,
    freeDiskBytes: freeBytes,
  };
}
