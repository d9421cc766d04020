import { type MemoryReport } from '@/plan/preflight';
import { PeruError } from '@/core/errors';

/** @throws PeruError `out-of-memory` for a plan that needs more than the budget even when streamed */
export function refuseOverBudget({ mode, leastBytes, budgetBytes }: MemoryReport): void {
  if (mode === 'resident' || leastBytes <= budgetBytes) return;
  throw new PeruError(
    'out-of-memory',
    `These checkpoints need ${megabytes(leastBytes)} of memory even when they are read piece by piece; the budget is ${megabytes(budgetBytes)}.`,
    'Raise the memory budget in the report, or leave tensors out by name.',
  );
}

/** Rounded up, so that a budget of the number shown is enough. */
function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e5) / 10} MB`;
}
