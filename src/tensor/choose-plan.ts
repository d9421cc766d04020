/** Resident or streamed: what an engine's counts of a group's bytes come to under a budget. */
import { type MemoryPlan } from './engine';

/** Selections of one task vector that an operation is planned for: the slider's m and the chart's. */
export const SELECTIONS_AT_ONCE = 4;

/** Bytes a group takes, by what for. */
export interface MemoryNeeds {
  readonly merged: number;
  /** Tables, parameters, histograms, thresholds. */
  readonly tables: number;
  /** Base and tasks where all of them stay. */
  readonly weights: number;
  /** What operations take on top of that and may leave behind for the next. */
  readonly residentWork: number;
  /** All pages of a group that is streamed, and those of its largest chunk. */
  readonly pages: number;
  readonly largestChunk: number;
  /** The most that one operation takes beside its pages. */
  readonly streamedWork: number;
}

/**
 * Resident where that fits the budget; else streamed, with as many pages kept as fit. A plan whose
 * `leastBytes` are more than the budget can not be carried out.
 */
export function choosePlan(needs: MemoryNeeds, budgetBytes: number): MemoryPlan {
  const { merged, tables, weights, pages } = needs;
  const residentBytes = merged + tables + weights + needs.residentWork;
  const besidePages = bytesBesidePages(needs) + merged;
  const leastBytes = besidePages + needs.largestChunk;
  const parts = (weightBytes: number, workBytes: number): MemoryPlan['parts'] =>
    [
      { label: 'base and fine-tuned weights', bytes: weightBytes },
      { label: 'merged weights', bytes: merged },
      { label: 'working memory', bytes: workBytes },
      { label: 'tables and counts', bytes: tables },
    ].sort((a, b) => b.bytes - a.bytes);
  if (residentBytes <= budgetBytes) {
    return {
      mode: 'resident',
      peakBytes: residentBytes,
      leastBytes,
      parts: parts(weights, needs.residentWork),
    };
  }
  const peakBytes = Math.max(leastBytes, Math.min(budgetBytes, besidePages + pages));
  return {
    mode: 'streamed',
    peakBytes,
    leastBytes,
    parts: parts(peakBytes - besidePages, needs.streamedWork),
  };
}

/** What a streamed group holds beside pages and theta*. */
export function bytesBesidePages({ tables, streamedWork }: MemoryNeeds): number {
  return tables + streamedWork;
}
