/** Every method the page offers, in the order in which it lists them. */
import { type Merger, type SparseCompressor } from './method';
import { simpleAverage } from './simple-average';
import { taskArithmetic } from './task-arithmetic';
import { peruFft } from './peru-fft';
import { postPruning } from './post-pruning';

export const MERGERS = {
  'simple-average': simpleAverage,
  'task-arithmetic': taskArithmetic,
} as const satisfies Record<string, Merger>;

export const SPARSE_COMPRESSORS = {
  'peru-fft': peruFft,
  'post-pruning': postPruning,
} as const satisfies Record<string, SparseCompressor>;

export type MergeMethod = keyof typeof MERGERS;
export type SparseMethod = keyof typeof SPARSE_COMPRESSORS;
