import { type Merger } from './method';

/** Simple average of the fine-tuned models: every task vector weighs 1 / T. */
export const simpleAverage: Merger = {
  coefficients: (taskCount) => new Array<number>(taskCount).fill(1 / taskCount),
  usesLambda: false,
};
