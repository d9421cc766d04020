/** The story of the page in numbers: what merging loses, what sparse vectors bring back. Pure. */
import { type AccuracyTable } from './table';

export interface Recovery {
  /** Average accuracies, 0..1. */
  readonly pretrained: number | null;
  readonly finetuned: number;
  readonly merged: number;
  readonly postPruning: number | null;
  readonly peru: number | null;
  /** Share of what merging lost that PERU-FFT brings back; null where merging lost nothing. */
  readonly recoveredShare: number | null;
  /** Every number comes from the whole test split. */
  readonly isFinal: boolean;
}

/** Null until the merged and the fine-tuned average stand. */
export function recovery(table: AccuracyTable): Recovery | null {
  const [pretrained, finetuned, merged, postPruning, peru] = table.average.cells;
  if (!finetuned || !merged) return null;
  const lost = finetuned.value - merged.value;
  const shown = [pretrained, finetuned, merged, postPruning, peru];
  return {
    pretrained: pretrained?.value ?? null,
    finetuned: finetuned.value,
    merged: merged.value,
    postPruning: postPruning?.value ?? null,
    peru: peru?.value ?? null,
    recoveredShare: peru && lost > 0 ? (peru.value - merged.value) / lost : null,
    isFinal: shown.every((cell) => cell && cell.n === cell.total),
  };
}
