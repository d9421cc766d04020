import { describe, expect, it } from 'vitest';
import { type CheckpointCard, type GroupFacts } from '@/store/state/sources';
import { adapterGroupOf, groupOf } from '@/store/state/scripted-worker';
import { averageNoun, averageText, scoreText } from './score-words';

type Dataset = Partial<NonNullable<CheckpointCard['dataset']>>;

/** A group of full fine-tunes, a task for each test set. */
function fullGroup(...datasets: Dataset[]): GroupFacts {
  const group = groupOf(datasets.map((_, i) => `task-${i}`));
  const [base, ...tasks] = group.cards;
  const cards = tasks.map((card, i) => ({
    ...card,
    dataset: { ...card.dataset!, ...datasets[i] },
  }));
  return { ...group, cards: [base!, ...cards] };
}

const TEXT: Dataset = { rowKind: 'text' };
const RANKED: Dataset = { rowKind: 'text', classCount: null, metric: 'spearman' };

describe('scores are told of as what they are', () => {
  it('images named, questions answered, or both, whatever the models are', () => {
    expect(scoreText(fullGroup({}, {}), 'full')).toBe('Share of test images named right');
    expect(scoreText(fullGroup(TEXT, TEXT), 'full')).toBe('Share of answers that are right');
    expect(scoreText(fullGroup({}, TEXT), 'full')).toBe('Share of test rows answered right');
    const adapters = { ...fullGroup({}), contents: adapterGroupOf([]).contents };
    expect(scoreText(adapters, 'adapters')).toBe('Share of test images named right');
  });

  it('with the metric, where it is no accuracy', () => {
    const flan = fullGroup(TEXT, RANKED);
    expect(scoreText(flan, 'full')).toMatch(
      /^Share of answers that are right \(where noted, Spearman’s correlation with .*\)$/,
    );
    expect([averageText(flan), averageNoun(flan)]).toEqual([
      'Average of accuracies and correlations',
      'score',
    ]);
    const ranked = fullGroup(RANKED);
    expect(scoreText(ranked, 'full')).toMatch(/^Spearman’s correlation with the labels/);
    expect([averageText(ranked), averageNoun(ranked)]).toEqual([
      'Average correlation',
      'correlation',
    ]);
    const images = fullGroup({}, {});
    expect([averageText(images), averageNoun(images)]).toEqual(['Average accuracy', 'accuracy']);
  });

  it('by the demo, before it is open', () => {
    expect(scoreText(null, 'full')).toBe('Share of test images named right');
    expect(scoreText(null, 'adapters')).toBe('Share of answers that are right');
  });
});
