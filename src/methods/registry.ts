/** Every method the page offers, in the order in which it lists them. */
import { type LowRankCompressor, type Merger, type SparseCompressor } from './method';
import { simpleAverage } from './simple-average';
import { taskArithmetic } from './task-arithmetic';
import { peruFft } from './peru-fft';
import { peruLora } from './peru-lora';
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

const LOW_RANK_COMPRESSORS = {
  'peru-lora': peruLora,
} as const satisfies Record<string, LowRankCompressor>;

export const COMPRESSORS = { ...SPARSE_COMPRESSORS, ...LOW_RANK_COMPRESSORS };

export type SparseMethod = keyof typeof SPARSE_COMPRESSORS;
export type CompressMethod = keyof typeof COMPRESSORS;

/** In the order of computing. */
export const SPARSE_METHODS = Object.keys(SPARSE_COMPRESSORS) as readonly SparseMethod[];

/** In the order of tables, the best last; `SPARSE_COMPRESSORS` stand in that of computing. */
export const COMPRESS_METHODS: readonly CompressMethod[] = byMerit(
  Object.keys(COMPRESSORS) as CompressMethod[],
);

function byMerit(methods: readonly CompressMethod[]): CompressMethod[] {
  return [
    ...methods.filter((method) => COMPRESSORS[method].isBaseline),
    ...methods.filter((method) => !COMPRESSORS[method].isBaseline),
  ];
}
