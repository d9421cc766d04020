import { type PlanChoices } from '@/plan/preflight';
import { type Engine, type EngineKind } from '@/tensor/engine';
import { type Platform } from '@/jobs/context/platform';
import { type Budget } from './memory-report';

const GIB = 2 ** 30;

/** What is known of the machine; browsers tell main memory rounded, GPUs tell nothing. */
export interface Machine {
  readonly engine: EngineKind;
  /** Null where it is not told. */
  readonly mainMemoryGib: number | null;
}

/**
 * A budget that most machines have room for: half of main memory, which integrated GPUs share and
 * others tend to match, within 1 to 8 GiB. The processor engine shares the tab's own memory.
 */
function suggestBudgetBytes({ engine, mainMemoryGib }: Machine): number {
  const most = engine === 'webgpu' ? 8 * GIB : 4 * GIB;
  return Math.min(most, Math.max(GIB, ((mainMemoryGib ?? 4) * GIB) / 2));
}

/** The budget of a job: the visitor's choice, else what suits this machine. */
export function budgetOf(
  { kind }: Engine,
  { budgetBytes }: PlanChoices,
  { mainMemoryGib }: Pick<Platform, 'mainMemoryGib'>,
): Budget {
  const suggestedBytes = suggestBudgetBytes({ engine: kind, mainMemoryGib });
  return { bytes: budgetBytes ?? suggestedBytes, suggestedBytes };
}
