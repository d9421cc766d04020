/** Float64 twin of shaders/merge.wgsl. */
import { type FloatDtype } from '@/tensor/dtype';
import { roundToDtype } from '@/tensor/half';

/**
 * theta* = theta_0 + sum_t c_t (theta_t - theta_0), summed in float64 in task order, rounded to
 * float32 and then to `dtype`. The simple average is c_t = 1 / T; task arithmetic (Ilharco et al.,
 * 2023, arXiv 2212.04089) is c_t = lambda.
 *
 * @param tasks one array a task, each as long as `base`
 * @returns values of `dtype`, held as float32
 */
export function mergeValues(
  base: Float32Array,
  tasks: readonly Float32Array[],
  coefficients: readonly number[],
  dtype: FloatDtype,
): Float32Array {
  const sums = new Float64Array(base.length);
  tasks.forEach((task, t) => {
    const coefficient = coefficients[t]!;
    for (let i = 0; i < sums.length; i++) sums[i]! += coefficient * (task[i]! - base[i]!);
  });
  return Float32Array.from(sums, (sum, i) => roundToDtype(base[i]! + sum, dtype));
}
