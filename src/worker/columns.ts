import { type SparseMethod, SPARSE_COMPRESSORS } from '@/methods/registry';
import { type FloatDtype } from '@/tensor/dtype';
import { type WeightsOf } from '@/tensor/engine';
import { type Job } from './job';
import { mergeKey, sparseKey, sparseMethodId } from './method-id';
import { type ColumnKey } from './score-book';
import { type SelectionSet } from './selection-set';

/** Dtype of kept values, in files and therefore in what is scored. */
export const VALUE_DTYPE: FloatDtype = 'F16';

/** A column of the accuracy table: a method's model for each task. */
export interface Column extends ColumnKey {
  /** For people, inside "Scoring … on TASK". */
  readonly title: string;
  /** The same model serves every task. */
  readonly shared: boolean;
  readonly weights: (task: number) => Promise<WeightsOf>;
}

/** Every sparse method, in the registry's order. */
export function sparseMethods(): SparseMethod[] {
  return Object.keys(SPARSE_COMPRESSORS) as SparseMethod[];
}

/** Models that stand without a selection: pretrained, fine-tuned, merged. */
export function plainColumns({ recipe }: Job): Column[] {
  return [
    {
      method: 'pretrained',
      key: 'pretrained',
      title: 'the pretrained model',
      shared: true,
      weights: () => Promise.resolve({ kind: 'base' }),
    },
    {
      method: 'finetuned',
      key: 'finetuned',
      title: 'the fine-tuned model',
      shared: false,
      weights: (task) => Promise.resolve({ kind: 'task', task }),
    },
    {
      method: 'merged',
      key: `merged|${mergeKey(recipe)}`,
      title: 'the merged model',
      shared: true,
      weights: () => Promise.resolve({ kind: 'merged' }),
    },
  ];
}

/** Sparse methods at one m. */
export function sparseColumns(
  { recipe }: Job,
  selections: SelectionSet,
  percent: number,
): Column[] {
  return sparseMethods().map((method) => ({
    method: sparseMethodId(method, percent),
    key: sparseKey(method, percent, recipe),
    title: `${SPARSE_COMPRESSORS[method].title} (${percent} %)`,
    shared: false,
    weights: async (task) => ({
      kind: 'sparse',
      selection: await selections.get(method, percent, task),
      valueDtype: VALUE_DTYPE,
    }),
  }));
}
