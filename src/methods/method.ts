import { type Center } from '@/tensor/engine';

/** Merges T task vectors into one model: theta* = theta_0 + sum_t c_t (theta_t - theta_0). */
export interface Merger {
  /** c_t, one a task. */
  readonly coefficients: (taskCount: number, lambda: number) => number[];
  /** Whether λ changes the result. */
  readonly usesLambda: boolean;
}

/** Keeps the largest entries of one vector a task, measured from a center. */
export interface SparseCompressor {
  /** The method's name in the literature. */
  readonly title: string;
  readonly center: Center;
}
