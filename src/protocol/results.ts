/** What the page is told of a run’s results. */
import { type MethodId, type Metric } from '@/recipe/recipe';

/** One cell of the accuracy table. `n` grows from 128 to the whole split as results stream in. */
export interface Score {
  readonly method: MethodId;
  readonly task: string;
  readonly metric: Metric;
  /** The metric on the first n rows: 0..1, for `spearman` -1..1. */
  readonly value: number;
  readonly n: number;
  /** Rows in the split: the score is final when n equals it. */
  readonly total: number;
}

/** Exact facts of one task's kept entries at the current m. */
export interface SparseFacts {
  readonly method: MethodId;
  readonly task: string;
  readonly kept: number;
  readonly nonZero: number;
  /** Kept share of the squared norm of u, 0..1; null where NaN or Inf leaves it undefined. */
  readonly energyShare: number | null;
}

/** Exact facts of one task's compressed adapter at the current rank. */
export interface LowRankFacts {
  readonly method: MethodId;
  readonly task: string;
  /** Triplets kept, in the order of `AdapterContents.modules`. */
  readonly ranks: readonly number[];
  /** Kept share of the squared norm of all the task's deltas, 0..1. */
  readonly energyShare: number;
  /** Bytes of its adapter folder. */
  readonly bytes: number;
}

/** Cosines between what LoRA files add to the weights, over the modules that two files share. */
export interface OverlapFacts {
  /** In the order of the files, [files][files], 1 on the diagonal; null where nothing meets. */
  readonly cosines: readonly (readonly (number | null)[])[];
  /** Modules looked at, of those that meet: large files are sampled. */
  readonly modules: number;
  readonly ofModules: number;
}
