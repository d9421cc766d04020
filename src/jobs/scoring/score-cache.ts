import { type Score } from '@/protocol/results';
import { type MethodId } from '@/recipe/recipe';
import { joinOutcomes, metricValue, type Outcome, rowsOf } from '@/evaluate/runtime/outcome';

/** A method, and the key under which its results stay true. */
export interface ColumnKey {
  readonly method: MethodId;
  readonly key: string;
}

/** Every outcome computed for the open group, so that no row is scored twice. */
export class ScoreCache {
  readonly #cells = new Map<string, { readonly outcome: Outcome; readonly score: Score }>();

  score(column: ColumnKey, task: string): Score | null {
    return this.#cells.get(cellKey(column, task))?.score ?? null;
  }

  /** Adds the outcome on rows that follow those already counted, of `total` in the split. */
  add(column: ColumnKey, task: string, outcome: Outcome, total: number): Score {
    const before = this.#cells.get(cellKey(column, task));
    const all = before === undefined ? outcome : joinOutcomes(before.outcome, outcome);
    const score: Score = {
      method: column.method,
      task,
      metric: all.metric,
      value: metricValue(all),
      n: rowsOf(all),
      total,
    };
    this.#cells.set(cellKey(column, task), { outcome: all, score });
    return score;
  }
}

function cellKey({ key }: ColumnKey, task: string): string {
  return `${key}|${task}`;
}
