/** Float32 twin of shaders/merge.wgsl: the same sums, in the same order, rounded at the same places. */
import { type FloatDtype } from '@/tensor/dtype';
import { type LinearMerge, type MergePlan } from '@/tensor/merge-plan';
import { type Shard } from './shard';

/** theta* of this part of a chunk, as the plan has it, rounded once to `dtype`. */
export function mergePart(shard: Shard, chunk: number, plan: MergePlan, dtype: FloatDtype): void {
  mergeLinear(shard, chunk, plan, dtype);
}

/**
 * theta* = theta_0 + sum_t c_t (theta_t - theta_0), summed in float32 in task order. Task arithmetic:
 * Ilharco et al. 2023, arXiv 2212.04089.
 *
 * Bytes an element for T tasks in halves: 2 T + 2 read, 2 written. 3 T + 1 operations, each rounded.
 */
function mergeLinear(
  shard: Shard,
  chunk: number,
  { coefficients }: LinearMerge,
  dtype: FloatDtype,
): void {
  const base = shard.page(0, chunk);
  const tasks = coefficients.map((_, t) => shard.page(t + 1, chunk));
  const merged = shard.newMerged(chunk, dtype);
  for (const { partStart, elementCount } of shard.blocks[chunk]!) {
    shard.math.mergeLinear(merged, base, tasks, coefficients, partStart, elementCount);
  }
}
