/** The story of adapters in numbers: what fewer triplets keep, lose and take. Pure. */
import { bytesBesideBase } from './beside-base';
import { type AdapterKept, meanEnergy } from '@/store/recipe/low-rank';
import { type MethodId, type StorageRow } from '@/store/state/results';
import { type AccuracyTable, averageOf } from './table';

export interface Compression {
  /** Averages over the tasks, as a rule 0..1; null where nothing is computed yet. */
  readonly pretrained: number | null;
  readonly finetuned: number;
  readonly merged: number | null;
  readonly peru: number | null;
  /** Mean kept energy, 0..1; null before the spectra, and where NaN inside leaves none. */
  readonly energyShare: number | null;
  /** Bytes of PERU-LoRA's files as a share of the adapters' as they came, both without the base. */
  readonly bytesShare: number | null;
  /** Every number comes from the whole test split. */
  readonly isFinal: boolean;
}

/**
 * Null until the adapters' own average stands.
 *
 * @param table of a group of adapters, see `methodsOf`
 */
export function compression(
  table: AccuracyTable,
  kept: readonly AdapterKept[] | null,
  storage: Readonly<Record<MethodId, StorageRow>>,
): Compression | null {
  const [pretrained, finetuned, merged, peru] = [
    averageOf(table, 'pretrained'),
    averageOf(table, 'finetuned'),
    averageOf(table, 'merged'),
    averageOf(table, 'peru-lora'),
  ];
  if (!finetuned) return null;
  const before = bytesBesideBase('finetuned', storage);
  const after = bytesBesideBase(table.methods[3] ?? '', storage);
  return {
    pretrained: pretrained?.value ?? null,
    finetuned: finetuned.value,
    merged: merged?.value ?? null,
    peru: peru?.value ?? null,
    energyShare: kept === null ? null : definedShare(meanEnergy(kept)),
    bytesShare: before && after !== null ? after / before : null,
    isFinal: [pretrained, finetuned, merged, peru].every((cell) => cell && cell.n === cell.total),
  };
}

function definedShare(share: number): number | null {
  return Number.isFinite(share) ? share : null;
}
