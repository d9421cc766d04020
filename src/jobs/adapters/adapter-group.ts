/** A group of LoRA adapters, loaded, and what its jobs make of it. */
import { type AdapterPlan } from '@/formats/lora/adapter-plan';
import { type CheckpointTensors } from '@/tensor/checkpoint-tensors';
import { type ModelWeights } from '@/tensor/engine';
import { type GroupOrigin } from '@/jobs/group/recipe-record';
import { type AdapterContents } from '@/export/adapter/adapter-contents';
import { type StorageRow } from '@/recipe/recipe';
import { type Job, type ScoredGroup } from '@/jobs/scoring/scored-group';
import { type AdapterSources } from '@/jobs/group/sources';
import { type MergedAdapter, type MergedAdapters } from './merged-adapters';
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
  /** The merged adapter of the recipe run last, or null; held by `mergedLately`. */
  merged: MergedAdapter | null;
  readonly mergedLately: MergedAdapters;
}

/** One run of a recipe on a group of adapters. */
export type AdapterJob = Job<AdapterGroup>;
