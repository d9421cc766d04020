import { type MethodId, type Score, type SparseFacts, type StorageRow } from './protocol';

/** A method, and the key under which its results stay true. */
export interface ColumnKey {
  readonly method: MethodId;
  readonly key: string;
}

/** What a sparse method costs and holds at one m. */
export interface SparseMeasure {
  readonly facts: readonly SparseFacts[];
  readonly row: StorageRow;
}

/** Everything already computed for the open group, so that nothing is computed twice. */
export class ScoreBook {
  readonly #scores = new Map<string, Score>();
  readonly #measures = new Map<string, SparseMeasure>();

  score(column: ColumnKey, task: string): Score | null {
    return this.#scores.get(`${column.key}|${task}`) ?? null;
  }

  /** Adds the outcome on rows that follow those already counted. */
  add(column: ColumnKey, task: string, correct: number, n: number, total: number): Score {
    const before = this.score(column, task);
    const score: Score = {
      method: column.method,
      task,
      correct: (before?.correct ?? 0) + correct,
      n: (before?.n ?? 0) + n,
      total,
    };
    this.#scores.set(`${column.key}|${task}`, score);
    return score;
  }

  measure(key: string): SparseMeasure | null {
    return this.#measures.get(key) ?? null;
  }

  setMeasure(key: string, measure: SparseMeasure): void {
    this.#measures.set(key, measure);
  }
}
