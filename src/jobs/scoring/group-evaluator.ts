/** What scores a group's models on the test splits of its tasks. */
import { type Provider } from '@/evaluate/runtime/session';
import { type ModelWeights } from '@/tensor/engine';
import { type RowKind } from '@/protocol/group-facts';
import { type Metric } from '@/recipe/recipe';
import { type Outcome } from '@/evaluate/runtime/outcome';

/** Rows [from, to) of a split. */
export interface RowRange {
  readonly from: number;
  readonly to: number;
  readonly signal: AbortSignal;
}

/** What a task is scored on. */
export interface SplitFacts {
  readonly name: string;
  /** Rows scored. */
  readonly rowCount: number;
  /** Rows of the split, where those scored are a sample of it. */
  readonly ofRowCount?: number;
  readonly rowKind: RowKind;
  /** Null where the answer is a number. */
  readonly classCount: number | null;
  readonly metric: Metric;
}

export interface GroupEvaluator {
  /** In the order of the tasks; null for one that is not scored. */
  readonly splits: readonly (SplitFacts | null)[];
  /** Why a task is not scored; null for those that are. */
  readonly unscoredBecause: readonly (string | null)[];
  /** Names of the weights that each model must bring to be scored. */
  readonly modelWeights: readonly string[];
  /** Where weights must lie to be scored. */
  readonly location: 'cpu' | 'gpu';
  /** Bytes of GPU memory held beside the engine's. */
  readonly gpuBytes: number;
  /** Scores rows of a task's test split with one model. */
  score(taskIndex: number, weights: ModelWeights, range: RowRange): Promise<Outcome>;
  dispose(): void;
}

/** A group's evaluator, and why there is none where there is none. */
export interface Scoring {
  readonly evaluator: GroupEvaluator | null;
  /** What it is called; empty where there is none. */
  readonly description: string;
  readonly noAccuracyBecause: string | null;
}

export function unscored(reason: string): Scoring {
  return { evaluator: null, description: '', noAccuracyBecause: reason };
}

/** Where weights must lie for a provider. */
export function locationOf(provider: Provider): GroupEvaluator['location'] {
  return provider.kind === 'webgpu' ? 'gpu' : 'cpu';
}

/** Counts of a split's facts: the whole is named only where it is more than what is scored. */
export function rowCounts({
  rowCount,
  ofRowCount,
}: {
  readonly rowCount: number;
  readonly ofRowCount: number;
}): Pick<SplitFacts, 'rowCount' | 'ofRowCount'> {
  return ofRowCount > rowCount ? { rowCount, ofRowCount } : { rowCount };
}

/** Waits no longer than the job lasts: what is on its way arrives for the next one. */
export async function whileJobLasts<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  return new Promise<T>((resolve, reject) => {
    const stop = (): void => {
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', stop, { once: true });
    const over = (): void => {
      signal.removeEventListener('abort', stop);
    };
    work.then(resolve, reject).finally(over);
  });
}
