/** The story of the page in numbers: what merging loses, what sparse vectors bring back. Pure. */
import { COMPRESSORS } from '@/methods/registry';
import { isCompressed, type MethodId, parseMethod } from '@/recipe/parsed-method';
import { averageOf, type AccuracyTable } from './table';

export interface Recovery {
  /** Average accuracies, 0..1. */
  readonly pretrained: number | null;
  readonly finetuned: number;
  readonly merged: number;
  readonly peru: number | null;
  /** Share of what merging lost that PERU-FFT brings back; null where merging lost nothing. */
  readonly recoveredShare: number | null;
  /** Every number comes from the whole test split. */
  readonly isFinal: boolean;
}

/** Null until the merged and the fine-tuned average stand. */
export function recovery(table: AccuracyTable): Recovery | null {
  const [pretrained, finetuned, merged, peru] = [
    averageOf(table, 'pretrained'),
    averageOf(table, 'finetuned'),
    averageOf(table, 'merged'),
    averageOf(table, 'peru-fft'),
  ];
  if (!finetuned || !merged) return null;
  const lost = finetuned.value - merged.value;
  return {
    pretrained: pretrained?.value ?? null,
    finetuned: finetuned.value,
    merged: merged.value,
    peru: peru?.value ?? null,
    recoveredShare: peru && lost > 0 ? (peru.value - merged.value) / lost : null,
    isFinal: table.average.cells.every((cell) => cell && cell.n === cell.total),
  };
}

/** Averages of what PERU is compared with, 0..1, in the order of the table; null while not computed. */
export function baselines({
  methods,
  average,
}: AccuracyTable): { readonly method: MethodId; readonly value: number | null }[] {
  return methods.flatMap((method, i) => {
    const family = parseMethod(method)?.family;
    if (family === undefined || !isCompressed(family) || !COMPRESSORS[family].isBaseline) return [];
    return [{ method, value: average.cells[i]?.value ?? null }];
  });
}
