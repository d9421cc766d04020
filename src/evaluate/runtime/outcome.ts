/** What scoring rows gives, and what more rows of the same cell add to it. */
import { spearman } from './metrics';

export type Outcome =
  | { readonly metric: 'accuracy'; readonly correct: number; readonly n: number }
  /** A rank correlation is not a sum over rows: it needs all pairs. */
  | {
      readonly metric: 'spearman';
      readonly predicted: readonly number[];
      readonly expected: readonly number[];
    };

/** Both outcomes as one; rows of `b` follow those of `a`. */
export function joinOutcomes(a: Outcome, b: Outcome): Outcome {
  if (a.metric === 'accuracy' && b.metric === 'accuracy') {
    return { metric: 'accuracy', correct: a.correct + b.correct, n: a.n + b.n };
  }
  if (a.metric === 'spearman' && b.metric === 'spearman') {
    return {
      metric: 'spearman',
      predicted: [...a.predicted, ...b.predicted],
      expected: [...a.expected, ...b.expected],
    };
  }
  throw new Error('Outcomes of two metrics were joined.');
}

/** Rows an outcome was counted on. */
export function rowsOf(outcome: Outcome): number {
  return outcome.metric === 'accuracy' ? outcome.n : outcome.expected.length;
}

/** The metric itself: 0..1, for a rank correlation -1..1; 0 on no rows. */
export function metricValue(outcome: Outcome): number {
  if (outcome.metric === 'spearman') return spearman(outcome.predicted, outcome.expected);
  return outcome.n === 0 ? 0 : outcome.correct / outcome.n;
}
