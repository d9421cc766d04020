/** Compiles kernels ahead of their first use, so that it happens while files still load. */
import { type DeviceHandle } from '@/gpu/device';
import { type KernelSource } from '@/gpu/pipelines';
import { VALUE_CODECS } from '@/codecs/value-codecs';
import { type FloatDtype } from '@/tensor/dtype';
import { DTYPE_CODES } from '@/kernels/weights/chunk-buffers';
import { type Tally } from '@/kernels/weights/group-context';
import { histogramSource } from '@/kernels/operations/histogram';
import { mergeSource } from '@/kernels/operations/merge';
import { KERNELS, VALUE_KERNELS, withBarriers } from '@/kernels/weights/wgsl';

/**
 * Compiles what a group of checkpoints of these dtypes will use if theta* has the base's dtype, and
 * kept values are F16. A failure is kept to itself: whoever needs the kernel meets it again.
 *
 * @param chunkDtypes by chunk: dtype of the base, then of each task's checkpoint
 */
export async function warmUpDtypes(
  { pipelines }: DeviceHandle,
  tally: Tally,
  chunkDtypes: readonly (readonly FloatDtype[])[],
): Promise<void> {
  const sources = [withBarriers(KERNELS.selectThreshold, tally)];
  const distinct = new Map(chunkDtypes.map((dtypes) => [dtypes.join(), dtypes]));
  for (const dtypes of distinct.values()) {
    sources.push(mergeSource(dtypes, dtypes[0]!), ...dtypes.flatMap(plainKernels));
    for (const task of new Set(dtypes.slice(1))) {
      sources.push(...deltaSources(tally, dtypes[0]!, task));
    }
  }
  await Promise.allSettled(sources.map((source) => pipelines.get(source)));
}

function plainKernels(dtype: FloatDtype): KernelSource[] {
  const overrides = { DTYPE: DTYPE_CODES[dtype] };
  const plain = { ...KERNELS.nonfinite, overrides };
  return dtype === 'F32' ? [plain] : [plain, { ...KERNELS.decode, overrides }];
}

function deltaSources(tally: Tally, center: FloatDtype, task: FloatDtype): KernelSource[] {
  const sources = [
    histogramSource(tally),
    KERNELS.selectTieCount,
    withBarriers(KERNELS.selectTieFind, tally),
    withBarriers(KERNELS.stats, tally),
    VALUE_KERNELS.apply[VALUE_CODECS.F16.wgsl]!,
  ];
  const dtypes = { CENTER_DTYPE: DTYPE_CODES[center], TASK_DTYPE: DTYPE_CODES[task] };
  return sources.map((source) => ({ ...source, overrides: { ...source.overrides, ...dtypes } }));
}
