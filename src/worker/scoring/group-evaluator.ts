/** What scores a group's models on the test splits of its tasks. */
import { type Provider } from '@/evaluate/session';
import { type ModelWeights } from '@/tensor/engine';
import { type Metric, type RowKind } from '@/worker/protocol';
import { type Outcome } from '@/evaluate/outcome';

/** Rows [from, to) of a split. */
export interface RowRange {
  readonly from: number;
  readonly to: number;
  readonly signal: AbortSignal;
}

/** What a task is scored on. */
export interface SplitFacts {
  readonly name: string;
  readonly rowCount: number;
  readonly rowKind: RowKind;
  /** Null where the answer is a number. */
  readonly classCount: number | null;
  readonly metric: Metric;
}

export interface GroupEvaluator {
  /** In the order of the tasks. */
  readonly splits: readonly SplitFacts[];
  /** Where weights must lie to be scored. */
  readonly location: 'cpu' | 'gpu';
  /** Bytes of GPU memory held beside the engine's. */
  readonly gpuBytes: number;
  /** Scores rows of a task's test split with one model. */
  score(taskIndex: number, weights: ModelWeights, range: RowRange): Promise<Outcome>;
  dispose(): void;
}

/** A group's evaluator, what it is called, and why there is none where there is none. */
export interface Scoring {
  readonly evaluator: GroupEvaluator | null;
  readonly description: string;
  readonly noAccuracyBecause: string | null;
}

export function unscored(reason: string): Scoring {
  return { evaluator: null, description: 'nothing to evaluate', noAccuracyBecause: reason };
}

/** Where weights must lie for a provider. */
export function locationOf(provider: Provider): GroupEvaluator['location'] {
  return provider.kind === 'webgpu' ? 'gpu' : 'cpu';
}
