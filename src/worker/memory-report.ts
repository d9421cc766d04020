import { type MemoryReport } from '@/plan/preflight';
import { type ByteTally } from '@/tensor/byte-tally';
import { type MemoryPlan } from '@/tensor/engine';
import { freeCacheBytes } from './hub-cache';

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
): Promise<MemoryReport> {
  const freeBytes = await freeCacheBytes();
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
