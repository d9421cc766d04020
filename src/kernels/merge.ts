/** theta* on the GPU. */
import { guarded } from '@/gpu/guard';
import { type KernelSource } from '@/gpu/pipelines';
import { PassRecorder } from '@/gpu/recorder';
import { type FloatDtype } from '@/tensor/dtype';
import { DTYPE_CODES } from './chunk-buffers';
import { UNIT_ELEMENTS } from './chunk-map';
import { fault } from './fault';
import { type GroupContext } from './group-context';
import { KERNELS } from './sources';

const WORKGROUP_SIZE = 256;
/** u32 words of a TaskRow (shaders/merge.wgsl). */
const ROW_WORDS = 4;
/** Task dtypes that differ, as shaders/merge.wgsl has it. */
const MIXED = 3;

/**
 * theta* = theta_0 + sum_t c_t (theta_t - theta_0) into the group's buffers for theta*.
 *
 * @param rows the group's task tables, one a chunk, written here
 * @throws PeruError `internal`, `out-of-memory` or `device-lost`
 */
export async function mergeChunks(
  context: GroupContext,
  rows: readonly GPUBuffer[],
  coefficients: readonly number[],
  dtype: FloatDtype,
): Promise<void> {
  const { handle, spec, weights } = context;
  if (coefficients.length !== spec.taskCount) {
    throw fault(`${coefficients.length} coefficients were given for ${spec.taskCount} tasks.`);
  }
  const kernels = await Promise.all(
    spec.chunks.map(({ dtypes }) => handle.pipelines.get(mergeSource(dtypes, dtype))),
  );
  try {
    await guarded(handle, 'merging', () => {
      const merged = weights.replaceMerged(dtype);
      const recorder = new PassRecorder(handle, 'merge');
      for (const { index } of spec.chunks) {
        const units = context.maps[index]!.paddedCount / UNIT_ELEMENTS;
        const kernel = kernels[index]!;
        handle.device.queue.writeBuffer(rows[index]!, 0, taskRows(context, index, coefficients));
        const params = context.params.get(kernel, {
          unit_count: units,
          task_count: spec.taskCount,
        });
        const resources = {
          params,
          rows: rows[index]!,
          base: weights.checkpoint(0, index).slice,
          tasks: weights.arena(index),
          merged: merged[index]!.slice,
        };
        recorder.dispatch(kernel, resources, Math.ceil(units / WORKGROUP_SIZE));
      }
      recorder.submit();
    });
    await handle.alive(handle.device.queue.onSubmittedWorkDone());
  } catch (error) {
    weights.destroyMerged();
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

function taskRows(context: GroupContext, chunkIndex: number, coefficients: readonly number[]) {
  const words = new Uint32Array(ROW_WORDS * coefficients.length);
  const floats = new Float32Array(words.buffer);
  coefficients.forEach((coefficient, t) => {
    const { slice, dtype } = context.weights.checkpoint(t + 1, chunkIndex);
    words[ROW_WORDS * t] = slice.offset / 16;
    words[ROW_WORDS * t + 1] = DTYPE_CODES[dtype];
    floats[ROW_WORDS * t + 2] = coefficient;
  });
  return words;
}
