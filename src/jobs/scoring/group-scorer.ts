/** What scores a group's models on the test splits of its tasks. */
import { type Provider } from '@/evaluate/runtime/graph-session';
import { type Outcome } from '@/evaluate/runtime/outcome';
import { type CheckpointCard, type RowKind } from '@/protocol/group-facts';
import { type ModelWeights } from '@/tensor/engine';
import { type OpenSplits, type Split } from './open-splits';

/** Rows [from, to) of a split. */
export interface RowRange {
  readonly from: number;
  readonly to: number;
  readonly signal: AbortSignal;
}

/** What a task is scored on, as the page is told. */
export type SplitFacts = NonNullable<CheckpointCard['dataset']>;

export interface GroupScorer {
  /** In the order of the tasks; null for one that is not scored. */
  readonly splits: readonly (SplitFacts | null)[];
  /** Why a task is not scored; null for those that are. */
  readonly unscoredBecause: readonly (string | null)[];
  /** Names of the weights that each model must bring to be scored. */
  readonly modelWeights: readonly string[];
  /** Where weights must lie to be scored. */
  readonly location: 'cpu' | 'gpu';
  /** Scores that may be asked for at once: with more than one, the next model is laid out meanwhile. */
  readonly atOnce: number;
  /** Bytes of GPU memory held beside the engine's. */
  readonly gpuBytes: number;
  /** Begins to ready a task's rows from one on, which will be scored; failures are told then. */
  prepare(taskIndex: number, from: number, signal: AbortSignal): void;
  /** Scores rows of a task's test split with one model. */
  score(taskIndex: number, weights: ModelWeights, range: RowRange): Promise<Outcome>;
  dispose(): void;
}

/** A group's scorer, and why there is none where there is none. */
export interface Scoring {
  readonly scorer: GroupScorer | null;
  /** What it is called; empty where there is none. */
  readonly description: string;
  readonly noAccuracyBecause: string | null;
}

export function unscored(reason: string): Scoring {
  return { scorer: null, description: '', noAccuracyBecause: reason };
}

/** What an evaluator family brings: outcomes on rows of one split at a time. */
export interface SplitScorer<Kind extends Split> {
  /** Names of the weights that each model must bring. */
  readonly modelWeights: readonly string[];
  /** Bytes of GPU memory held. */
  readonly gpuBytes: number;
  /** What the answers to a split's rows are, and how they are counted. */
  answersOf(split: Kind): Pick<SplitFacts, 'classCount' | 'metric'>;
  /** Reads and readies what scoring rows from one on takes, beside the model. */
  prepare(split: Kind, from: number, signal: AbortSignal): Promise<unknown>;
  score(split: Kind, weights: ModelWeights, range: RowRange): Promise<Outcome>;
  dispose(): void;
}

interface Parts<Kind extends Split> extends OpenSplits<Kind> {
  /** Of every task, in their order. */
  readonly tests: readonly ({ readonly kind: RowKind; readonly name: string } | null)[];
  readonly provider: Provider;
}

/** Scores a group by the splits of its tasks, each as `scorer` does. */
export function groupScorer<Kind extends Split>(
  scorer: SplitScorer<Kind>,
  { tests, splits, unscoredBecause, provider }: Parts<Kind>,
): GroupScorer {
  return {
    splits: splits.map((split, i) => {
      const test = tests[i] ?? null;
      if (split === null || test === null) return null;
      const counts = rowCounts(split.dataset);
      return { name: test.name, ...counts, rowKind: test.kind, ...scorer.answersOf(split) };
    }),
    unscoredBecause,
    modelWeights: scorer.modelWeights,
    location: provider.kind === 'webgpu' ? 'gpu' : 'cpu',
    atOnce: scoresAtOnce(provider),
    get gpuBytes() {
      return scorer.gpuBytes;
    },
    prepare(taskIndex, from, signal) {
      const split = splits[taskIndex] ?? null;
      if (split !== null) scorer.prepare(split, from, signal).catch(() => undefined);
    },
    async score(taskIndex, weights, range) {
      const split = splits[taskIndex] ?? null;
      if (split === null) throw new RangeError(`There is no task ${taskIndex} to score.`);
      return scorer.score(split, weights, range);
    },
    dispose: () => {
      scorer.dispose();
      if (provider.kind === 'wasm') provider.lanes?.dispose();
    },
  };
}

/**
 * Threads beside this one copy what they are given: while they compute, more can be asked for, and
 * what they have can go.
 */
export function scoresAtOnce(provider: Provider): number {
  return provider.kind === 'wasm' && provider.lanes !== undefined ? 2 : 1;
}

/** The whole is named only where it is more than what is scored. */
function rowCounts({
  rowCount,
  ofRowCount,
}: Split['dataset']): Pick<SplitFacts, 'rowCount' | 'ofRowCount'> {
  return ofRowCount > rowCount ? { rowCount, ofRowCount } : { rowCount };
}
