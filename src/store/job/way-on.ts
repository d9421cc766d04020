/** Which of an alert's ways on helps against just this error. Pure. */
import { type ErrorFacts } from '@/store/state/job';

/** `choice`: the one answer there is. The others are named by what they do. */
export type WayOn = 'choice' | 'leave-out' | 'go-on' | 'default-budget' | 'all-tensors' | 'retry';

/** What stands beside the error. */
export interface Beside {
  readonly canRetry: boolean;
  /** The visitor has set a memory budget. */
  readonly hasBudget: boolean;
  /** Name patterns leave tensors out, with no field in view that would clear them. */
  readonly hidesPatterns: boolean;
}

/**
 * Null where nothing that the page can do by itself helps, or where the visitor has to choose among
 * several answers: then no way on is stronger than another.
 */
export function wayOn(
  { kind, choices = [], exclude = [], mayPass = false }: ErrorFacts,
  { canRetry, hasBudget, hidesPatterns }: Beside,
): WayOn | null {
  if (choices.length > 0) return choices.length === 1 ? 'choice' : null;
  if (exclude.length > 0) return 'leave-out';
  if (kind === 'non-finite') return 'go-on';
  if (kind === 'out-of-memory' && hasBudget) return 'default-budget';
  if (kind === 'mismatch' && hidesPatterns) return 'all-tensors';
  return mayPass && canRetry ? 'retry' : null;
}
