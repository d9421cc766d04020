import { type Score } from '@/protocol/results';
import { type MethodId } from '@/recipe/recipe';
import { joinOutcomes, metricValue, type Outcome, rowsOf } from '@/evaluate/runtime/outcome';

/** A method, and the key under which its results stay true. */
export interface ModelKey {
  readonly method: MethodId;
  readonly key: string;
}

/** Every outcome computed for the open group, so that no row is scored twice. */
export class ScoreCache {
  readonly #cells = new Map<string, { readonly outcome: Outcome; readonly score: Score }>();

  score(model: ModelKey, task: string): Score | null {
    return this.#cells.get(cellKey(model, task))?.score ?? null;
  }

  /** Adds the outcome on rows that follow those already counted, of `total` in the split. */
  add(model: ModelKey, task: string, outcome: Outcome, total: number): Score {
    const before = this.#cells.get(cellKey(model, task));
    const all = before === undefined ? outcome : joinOutcomes(before.outcome, outcome);
    const score: Score = {
      method: model.method,
      task,
      metric: all.metric,
      value: metricValue(all),
      n: rowsOf(all),
      total,
    };
    this.#cells.set(cellKey(model, task), { outcome: all, score });
    return score;
  }
}

function cellKey({ key }: ModelKey, task: string): string {
  return `${key}|${task}`;
}
