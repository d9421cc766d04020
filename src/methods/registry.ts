/** Every method the page offers, in the order in which it lists them. */
import { type Merger, type SparseCompressor } from './method';
import { simpleAverage } from './simple-average';
import { taskArithmetic } from './task-arithmetic';
import { peruFft } from './peru-fft';
import { postPruning } from './post-pruning';

export const MERGERS = {
  'task-arithmetic': taskArithmetic,
  'simple-average': simpleAverage,
} as const satisfies Record<string, Merger>;

export const SPARSE_COMPRESSORS = {
  'peru-fft': peruFft,
  'post-pruning': postPruning,
} as const satisfies Record<string, SparseCompressor>;

export type MergeMethod = keyof typeof MERGERS;

export const MERGE_METHODS = Object.keys(MERGERS) as readonly MergeMethod[];

export type SparseMethod = keyof typeof SPARSE_COMPRESSORS;
