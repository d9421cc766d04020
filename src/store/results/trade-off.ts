/** Accuracy against bytes: every method computed so far, the sparse ones as curves over m. Pure. */
import { compareMethods, type MethodFamily, parseMethod } from '@/store/method';
import { type ByMethod, type MethodId, type Score, type StorageRow } from './state';
import { averageCell, type NamedTask } from './table';

export interface TradeOffPoint {
  readonly method: MethodId;
  readonly family: MethodFamily;
  /** m, null for the dense methods. */
  readonly percent: number | null;
  readonly bytes: number;
  /** Average over the tasks, 0..1. */
  readonly accuracy: number;
}

/** Points whose bytes and whose average over every task are known, in the order of the tables. */
export function tradeOffPoints(
  tasks: readonly NamedTask[],
  scores: ByMethod<Score>,
  storage: Readonly<Record<MethodId, StorageRow>>,
): readonly TradeOffPoint[] {
  return Object.keys(storage)
    .sort(compareMethods)
    .flatMap((method) => {
      const parsed = parseMethod(method);
      const average = averageCell(tasks, scores, method);
      const bytes = storage[method]?.bytes;
      if (parsed === null || average === null || bytes === undefined) return [];
      return [{ method, ...parsed, bytes, accuracy: average.accuracy }];
    });
}
