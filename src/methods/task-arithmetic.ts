import { linearMerge } from '@/tensor/merge-plan';
import { type Merger } from './method';

/** Task arithmetic: theta* = theta_0 + λ sum_t (theta_t - theta_0). */
export const taskArithmetic: Merger = {
  title: 'Task arithmetic',
  paper: {
    title: 'Editing Models with Task Arithmetic',
    authors: 'Ilharco et al.',
    year: 2022,
    arxiv: '2212.04089',
  },
  parameters: ['lambda'],
  plan: (taskCount, lambda) => linearMerge(new Array<number>(taskCount).fill(lambda)),
  factor: { symbol: String, words: (lambda) => `${lambda} times the sum` },
  card: {
    models: (_, lambda) => `θ\\* = θ₀ + λ Σₜ (θₜ − θ₀), with λ = ${lambda}`,
    adapters: (_, lambda) => `λ Σₜ Δₜ, with λ = ${lambda}`,
  },
  mergekit: 'task_arithmetic',
};
