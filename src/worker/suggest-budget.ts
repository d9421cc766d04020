import { type PlanChoices } from '@/plan/preflight';
import { type Engine, type EngineKind } from '@/tensor/engine';
import { type Budget } from './memory-report';

const GIB = 2 ** 30;

/** What is known of the machine; browsers tell main memory rounded, GPUs tell nothing. */
export interface Machine {
  readonly engine: EngineKind;
  /** Gibibytes of main memory as `navigator.deviceMemory` has it; undefined where it is not told. */
  readonly deviceMemory: number | undefined;
}

/**
 * A budget that most machines have room for: half of main memory, which integrated GPUs share and
 * others tend to match, within 1 to 8 GiB. The reference engine shares the tab's own memory.
 */
function suggestBudgetBytes({ engine, deviceMemory = 4 }: Machine): number {
  const most = engine === 'webgpu' ? 8 * GIB : 4 * GIB;
  return Math.min(most, Math.max(GIB, (deviceMemory * GIB) / 2));
}

/** The budget of a job: the visitor's choice, else what suits this machine. */
export function budgetOf({ kind }: Engine, { budgetBytes }: PlanChoices): Budget {
  const { navigator: own } = globalThis as { readonly navigator?: { deviceMemory?: number } };
  const deviceMemory = own?.deviceMemory;
  const suggestedBytes = suggestBudgetBytes({ engine: kind, deviceMemory });
  return { bytes: budgetBytes ?? suggestedBytes, suggestedBytes };
}
