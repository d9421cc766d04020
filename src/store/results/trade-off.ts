/** Accuracy against bytes: every method computed so far, those with a setting as curves. Pure. */
import {
  compareMethods,
  type GroupKind,
  type MethodFamily,
  type MethodSetting,
  parseMethod,
} from '@/recipe/parsed-method';
import { bytesBesideBase } from './beside-base';
import { type ByMethod, type MethodId, type Score, type StorageRow } from '@/store/state/results';
import { averageCell, type NamedTask } from './table';

export interface TradeOffPoint {
  readonly method: MethodId;
  readonly family: MethodFamily;
  /** Null for the dense methods. */
  readonly setting: MethodSetting | null;
  /** Of all its files; of adapters, beside the base: 0 for the base itself. */
  readonly bytes: number;
  /** Average of the tasks' metrics, as a rule 0..1. */
  readonly value: number;
}

/** Points whose bytes and whose average over every task are known, in the order of the tables. */
export function tradeOffPoints(
  tasks: readonly NamedTask[],
  scores: ByMethod<Score>,
  storage: Readonly<Record<MethodId, StorageRow>>,
  kind: GroupKind,
): readonly TradeOffPoint[] {
  return Object.keys(storage)
    .sort(compareMethods)
    .flatMap((method) => {
      const parsed = parseMethod(method);
      const average = averageCell(tasks, scores, method);
      const bytes =
        kind === 'adapters' ? bytesBesideBase(method, storage) : (storage[method]?.bytes ?? null);
      if (parsed === null || average === null || bytes === null) return [];
      return [{ method, ...parsed, bytes, value: average.value }];
    });
}
