import { linearMerge } from '@/tensor/merge-plan';
import { type Merger } from './method';

/** Simple average of the fine-tuned models: every task vector weighs 1 / T. */
export const simpleAverage: Merger = {
  title: 'Simple average',
  paper: {
    title:
      'Model soups: averaging weights of multiple fine-tuned models improves accuracy without increasing inference time',
    authors: 'Wortsman et al.',
    year: 2022,
    arxiv: '2203.05482',
  },
  parameters: [],
  plan: (taskCount) => linearMerge(new Array<number>(taskCount).fill(1 / taskCount)),
  factor: { symbol: () => '1/T', words: () => 'the mean' },
  card: {
    models: (taskCount) => `θ\\* = (1 / ${taskCount}) Σₜ θₜ`,
    adapters: (taskCount) => `(1 / ${taskCount}) Σₜ Δₜ`,
  },
  mergekit: 'linear',
};
