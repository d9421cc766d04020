/** Float64 twin of shaders/merge.wgsl. */
import { type FloatDtype } from '@/tensor/dtype';
import { roundToDtype } from '@/tensor/half';
import { type LinearMerge, type MergePlan } from '@/tensor/merge-plan';

/**
 * A stretch of theta*, in float64, rounded to float32 and then to `dtype`.
 *
 * @param tasks one array a task, each as long as `base`
 * @returns values of `dtype`, held as float32
 */
export function mergeValues(
  base: Float32Array,
  tasks: readonly Float32Array[],
  plan: MergePlan,
  dtype: FloatDtype,
): Float32Array {
  const merged = linearValues(base, tasks, plan);
  return Float32Array.from(merged, (value) => roundToDtype(value, dtype));
}

/** theta_0 + sum_t c_t (theta_t - theta_0), in task order. */
function linearValues(
  base: Float32Array,
  tasks: readonly Float32Array[],
  { coefficients }: LinearMerge,
): Float64Array {
  const sums = new Float64Array(base.length);
  tasks.forEach((task, t) => {
    const coefficient = coefficients[t]!;
    for (let i = 0; i < sums.length; i++) sums[i]! += coefficient * (task[i]! - base[i]!);
  });
  return sums.map((sum, i) => base[i]! + sum);
}
