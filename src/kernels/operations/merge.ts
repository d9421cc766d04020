/** theta* on the GPU. */
import { invariantError } from '@/core/errors';
import { type BufferScope } from '@/gpu/buffers';
import { type KernelSource } from '@/gpu/pipelines';
import { type PassRecorder } from '@/gpu/recorder';
import { type FloatDtype } from '@/tensor/dtype';
import { type LinearMerge, type MergePlan, plannedTasks } from '@/tensor/merge-plan';
import { WORKGROUP_SIZE } from '@/kernels/weights/blocks';
import {
  arenaRuns,
  DTYPE_CODES,
  type TaskArena,
  weightUsage,
} from '@/kernels/weights/chunk-buffers';
import { UNIT_ELEMENTS } from '@/kernels/weights/chunk-map';
import { type GroupContext } from '@/kernels/weights/group-context';
import { KERNELS } from '@/kernels/weights/wgsl';
import { runWork } from '@/kernels/weights/work';

/** u32 words of a TaskRow (shaders/merge.wgsl). */
const ROW_WORDS = 4;
/** Task dtypes that differ, as shaders/merge.wgsl has it. */
const MIXED = 3;

/**
 * theta* as the plan has it into the group's buffers for theta*.
 *
 * @param rows the group's task tables, one a chunk, written here
 * @throws PeruError `internal`, `out-of-memory` or `device-lost`
 */
export async function mergeChunks(
  context: GroupContext,
  rows: readonly GPUBuffer[],
  plan: MergePlan,
  dtype: FloatDtype,
): Promise<void> {
  const { taskCount } = context.spec;
  if (plannedTasks(plan) !== taskCount) {
    throw invariantError(`A merge of ${plannedTasks(plan)} tasks was asked of ${taskCount} tasks.`);
  }
  return mergeLinear(context, rows, plan, dtype);
}

/** theta_0 + sum_t c_t (theta_t - theta_0): one pass over base and all tasks. */
async function mergeLinear(
  context: GroupContext,
  rows: readonly GPUBuffer[],
  { coefficients }: LinearMerge,
  dtype: FloatDtype,
): Promise<void> {
  const { handle, spec, weights, merged } = context;
  const kernels = await Promise.all(
    spec.chunks.map(({ dtypes }) => handle.pipelines.get(mergeSource(dtypes, dtype))),
  );
  weights.reserve(merged.bytesIn(dtype));
  try {
    await handle.buffers.lend((scratch) =>
      runWork(context, 'merging', 'merge', () => {
        const target = merged.replace(dtype);
        const spare = spareArena(context, scratch);
        const each = (recorder: PassRecorder, index: number): void => {
          const units = context.maps[index]!.paddedCount / UNIT_ELEMENTS;
          const kernel = kernels[index]!;
          const arena = weights.arena(recorder, index, spare);
          handle.device.queue.writeBuffer(rows[index]!, 0, taskRows(arena, coefficients));
          const params = context.params.get(kernel, {
            unit_count: units,
            task_count: spec.taskCount,
          });
          const resources = {
            params,
            rows: rows[index]!,
            base: weights.checkpoint(0, index).slice,
            tasks: arena.buffer,
            merged: target[index]!.slice,
          };
          recorder.dispatch(kernel, resources, Math.ceil(units / WORKGROUP_SIZE));
        };
        const checkpoints = Array.from({ length: spec.taskCount + 1 }, (_, c) => c);
        return { steps: [{ checkpoints, each }] };
      }),
    );
    await handle.alive(handle.device.queue.onSubmittedWorkDone());
  } catch (error) {
    merged.destroy();
    weights.reserve(0);
    throw error;
  }
}

/** The kernel for a chunk whose checkpoints have these dtypes, the base's first. */
export function mergeSource(dtypes: readonly FloatDtype[], merged: FloatDtype): KernelSource {
  const [base, ...tasks] = dtypes.map((dtype) => DTYPE_CODES[dtype]);
  const overrides = {
    BASE_DTYPE: base!,
    TASK_DTYPE: tasks.every((code) => code === tasks[0]) ? (tasks[0] ?? MIXED) : MIXED,
    MERGED_DTYPE: DTYPE_CODES[merged],
  };
  return { ...KERNELS.merge, overrides };
}

/** Bytes of a task table. */
export function taskTableBytes(taskCount: number): number {
  return 4 * ROW_WORDS * taskCount;
}

/** Room for the largest chunk of all tasks, where their weights come in buffers of their own. */
function spareArena({ handle, spec, maps, weights }: GroupContext, scope: BufferScope) {
  if (!weights.streamed || spec.chunks.length === 0) return null;
  const { minStorageBufferOffsetAlignment: align } = handle.device.limits;
  const sizes = spec.chunks.map((chunk) => arenaRuns(chunk, maps[chunk.index]!, align).byteLength);
  return scope.create('tasks side by side', Math.max(...sizes), weightUsage());
}

function taskRows({ tasks }: TaskArena, coefficients: readonly number[]) {
  const words = new Uint32Array(ROW_WORDS * coefficients.length);
  const floats = new Float32Array(words.buffer);
  coefficients.forEach((coefficient, t) => {
    const { slice, dtype } = tasks[t]!;
    words[ROW_WORDS * t] = slice.offset / 16;
    words[ROW_WORDS * t + 1] = DTYPE_CODES[dtype];
    floats[ROW_WORDS * t + 2] = coefficient;
  });
  return words;
}
