/** What recipes and results are made of, wherever they are told, shown or written. */
import { type Scope } from '@/tensor/engine';
import { type ValueFormat } from '@/codecs/value-formats';
import { type FloatDtype } from '@/tensor/dtype';
import { type MergeMethod, type SparseMethod } from '@/methods/registry';
import { type LoraChoices } from './lora-choices';
import { type RankChoice } from '@/methods/peru-lora';
import { type Rescale } from './stored-values';

/** Everything that decides the result, and nothing else; also what a link carries. */
export interface Recipe {
  readonly mergeMethod: MergeMethod;
  /** λ of task arithmetic; unused by the simple average. */
  readonly lambda: number;
  /** m: share of entries kept per task, in percent. */
  readonly keptPercent: number;
  readonly scope: Scope;
  /** Compressors that are run and scored at each m, in the registry's order; unused by adapters. */
  readonly compressors: readonly SparseMethod[];
  /** Dtype of theta*, as it is scored and written; null: that of most of the base's weights. */
  readonly mergedDtype: FloatDtype | null;
  /** Dtype or packed format of the kept values, as they are scored and written. */
  readonly valueDtype: ValueFormat;
  /** What makes kept values longer, where they have a factor. */
  readonly rescale: Rescale;
  /** How PERU-LoRA chooses the rank of each adapted module; unused by full fine-tunes. */
  readonly rank: RankChoice;
  /** What LoRA files without a base are made into; unused by groups with one. */
  readonly lora: LoraChoices;
}

/** `accuracy`: share of right answers; `spearman`: rank correlation with the labels, -1..1. */
export type Metric = 'accuracy' | 'spearman';

/**
 * METHOD of results.json: `pretrained`, `finetuned`, `merged`, `post-pruning@M`, `peru-fft@M` with M
 * in percent; `peru-lora@Q`, `peru-lora@energy=PERCENT`, `@fro=SHARE`, `@ratio=RATIO`, `@bytes=BUDGET`.
 */
export type MethodId = string;

export interface StorageRow {
  readonly method: MethodId;
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
  readonly bytes: number;
}
