/** A group of LoRA adapters, loaded, and what its jobs make of it. */
import { type AdapterPlan } from '@/formats/lora/adapter-plan';
import { type CheckpointTensors } from '@/tensor/checkpoint-tensors';
import { type ModelWeights } from '@/tensor/engine';
import { type LowRankGroup } from '@/tensor/low-rank';
import { type MergePlan } from '@/tensor/merge-plan';
import { type GroupOrigin } from '@/jobs/group/recipe-record';
import { type AdapterContents } from '@/export/adapter/adapter-contents';
import { type StorageRow } from '@/recipe/recipe';
import { type Job, type ScoredGroup } from '@/jobs/scoring/scored-group';
import { type AdapterSources } from '@/jobs/group/sources';
import { type TaskProducts } from './task-products';

export interface AdapterGroup extends ScoredGroup {
  readonly kind: 'adapters';
  readonly sources: AdapterSources;
  readonly origin: GroupOrigin;
  readonly base: CheckpointTensors;
  readonly plan: AdapterPlan;
  readonly contents: AdapterContents;
  readonly products: TaskProducts;
  /** Float32 weights of the base where the evaluator wants them; null where nothing is scored. */
  readonly baseWeights: ModelWeights | null;
  /** Files of each task's own adapter. */
  readonly ownFiles: readonly StorageRow['files'][];
  /** The merged adapter of the recipe run last, or null. */
  merged: MergedAdapter | null;
}

/** All tasks' adapters as one: their products side by side, recompressed without loss. */
export interface MergedAdapter {
  /** `mergeKey` of the recipe it stands for. */
  readonly key: string;
  readonly mergePlan: MergePlan;
  /** One product an adapted weight, in the order of `AdapterContents.modules`. */
  readonly lowRank: LowRankGroup;
  /** Triplets of each product that are not rounding noise. */
  readonly ranks: readonly number[];
}

/** One run of a recipe on a group of adapters. */
export type AdapterJob = Job<AdapterGroup>;
