import { linearMerge } from '@/tensor/merge-plan';
import { type Merger } from './method';

/** Simple average of the fine-tuned models (arXiv 2203.05482): every task vector weighs 1 / T. */
export const simpleAverage: Merger = {
  title: 'Simple average',
  parameters: [],
  plan: (taskCount) => linearMerge(new Array<number>(taskCount).fill(1 / taskCount)),
  factor: { symbol: () => '1/T', words: () => 'the mean' },
  card: {
    models: (taskCount) => `θ\\* = (1 / ${taskCount}) Σₜ θₜ`,
    adapters: (taskCount) => `(1 / ${taskCount}) Σₜ Δₜ`,
  },
  mergekit: 'linear',
};
