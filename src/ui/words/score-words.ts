/**
 * What the tasks' scores are, in words: the rows and metrics of their test sets say so, not the kind
 * of group, which does not tell images from texts. Pure.
 */
import { type GroupKind } from '@/recipe/parsed-method';
import { rowNoun, scoredTasks } from '@/store/sources/selectors';
import { type CheckpointCard, type GroupFacts } from '@/store/state/sources';

type Metrics = 'accuracy' | 'spearman' | 'both';

const SHARES = {
  images: 'Share of test images named right',
  texts: 'Share of answers that are right',
  rows: 'Share of test rows answered right',
} as const;

const CORRELATION = 'Spearman’s correlation with the labels, × 100';

/**
 * What the numbers of the accuracy table are: begins a sentence.
 *
 * @param kind says it for a demo that is not open yet: its fine-tunes name images, its adapters
 *   answer texts. Other groups have no table before they are open.
 */
export function scoreText(group: GroupFacts | null, kind: GroupKind): string {
  if (group === null) return kind === 'adapters' ? SHARES.texts : SHARES.images;
  const scored = scoredTasks(group);
  const share = SHARES[rowNoun(scored)];
  switch (metricsOf(scored)) {
    case 'accuracy':
      return share;
    case 'spearman':
      return CORRELATION;
    case 'both':
      return `${share} (where noted, ${CORRELATION})`;
  }
}

/** What the mean over the tasks is: begins a sentence. */
export function averageText(group: GroupFacts | null): string {
  switch (metricsOf(scoredTasks(group))) {
    case 'accuracy':
      return 'Average accuracy';
    case 'spearman':
      return 'Average correlation';
    case 'both':
      return 'Average of accuracies and correlations';
  }
}

/** What that mean counts, in a word. */
export function averageNoun(group: GroupFacts | null): 'accuracy' | 'correlation' | 'score' {
  switch (metricsOf(scoredTasks(group))) {
    case 'accuracy':
      return 'accuracy';
    case 'spearman':
      return 'correlation';
    case 'both':
      return 'score';
  }
}

/** Of no tasks: accuracy, as most are scored. */
function metricsOf(cards: readonly CheckpointCard[]): Metrics {
  const metrics = new Set(cards.flatMap(({ dataset }) => dataset?.metric ?? []));
  if (!metrics.has('spearman')) return 'accuracy';
  return metrics.size === 1 ? 'spearman' : 'both';
}
