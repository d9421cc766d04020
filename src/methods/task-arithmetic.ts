import { type Merger } from './method';

/** Task arithmetic (arXiv 2212.04089): theta* = theta_0 + λ sum_t (theta_t - theta_0). */
export const taskArithmetic: Merger = {
  coefficients: (taskCount, lambda) => new Array<number>(taskCount).fill(lambda),
  usesLambda: true,
};
