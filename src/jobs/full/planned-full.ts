import { type GroupPlan } from '@/plan/plan-group';
import { type NamePatterns } from '@/plan/names/name-patterns';
import { type Preflight } from '@/plan/preflight';
import { type CheckpointTensors } from '@/tensor/checkpoint-tensors';
import { type FloatDtype } from '@/tensor/dtype';
import { type Chunk } from '@/tensor/layout';

/** The base, then each task's checkpoint. */
export type Checkpoints = readonly [base: CheckpointTensors, ...tasks: CheckpointTensors[]];

/** A group as it will be loaded. */
export interface PlannedFull {
  readonly plan: GroupPlan;
  /** That the plan was made by. */
  readonly patterns: NamePatterns;
  /** Under the base's names. */
  readonly checkpoints: Checkpoints;
  /** Under the names of their files. */
  readonly stored: readonly CheckpointTensors[];
  readonly chunks: readonly Chunk[];
  /** Dtype of theta*: that of most of the base's merged elements. */
  readonly mergedDtype: FloatDtype;
  /** Bytes the weights may hold: the budget, less what scoring takes. */
  readonly weightsBudgetBytes: number;
  /** Threads that score. */
  readonly laneCount: number;
  readonly preflight: Preflight;
}
