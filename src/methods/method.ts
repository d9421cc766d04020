import { type Center } from '@/tensor/engine';
import { type MergePlan } from '@/tensor/merge-plan';
import { type Paper } from './paper';
import { type MergeParameter } from './parameters';

/**
 * Merges T task vectors into one model theta*. Whatever is shown, linked or written of a merger is
 * said here: listing it in `registry.ts` is all it needs.
 */
export interface Merger {
  /** As it begins a sentence: `Task arithmetic`. */
  readonly title: string;
  readonly paper: Paper;
  /** Numbers that change the result; the others are neither asked for nor written. */
  readonly parameters: readonly MergeParameter[];
  /** What an engine is to do with this many tasks. */
  readonly plan: (taskCount: number, lambda: number) => MergePlan;
  /** What stands before the sum over the tasks. */
  readonly factor: {
    /** In the page's formula: `0.3`, `1/T`. */
    readonly symbol: (lambda: number) => string;
    /** For those who listen: `0.3 times the sum`, completed by "of the task vectors". */
    readonly words: (lambda: number) => string;
  };
  /** In the Markdown of a model card; `lambda` is 0 where a recipe has none. */
  readonly card: {
    /** θ* of full models. */
    readonly models: (taskCount: number, lambda: number) => string;
    /** Δ of adapters. */
    readonly adapters: (taskCount: number, lambda: number) => string;
  };
  /** mergekit's method of the same formula. */
  readonly mergekit: MergekitMethod;
}

/** `merge_method` of mergekit's that Peru writes and reads. */
export type MergekitMethod = 'task_arithmetic' | 'linear';

/** Keeps a part of what each task has of its own. What is shown of it is said here, as of a merger. */
interface CompressorFacts {
  /** The method's name in the literature. */
  readonly title: string;
  readonly paper: Paper;
  /** What others are compared with: it stands before them in tables, and below them in the chart. */
  readonly isBaseline: boolean;
  /** Of a baseline: what it does instead, a sentence for those who read its figures; else null. */
  readonly instead: string | null;
  /** Parts of the recipe, beside its own setting, that change its results. */
  readonly dependsOn: readonly ('merge' | 'scope' | 'values')[];
}

/** Of full models: keeps the largest entries of one vector a task, measured from a center. */
export interface SparseCompressor extends CompressorFacts {
  readonly keeps: 'entries';
  readonly center: Center;
}

/** Of adapters: keeps leading singular triplets of each product. */
export interface LowRankCompressor extends CompressorFacts {
  readonly keeps: 'ranks';
}
