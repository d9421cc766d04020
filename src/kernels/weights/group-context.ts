/** What every operation on a group of checkpoints works with. */
import { type DeviceHandle } from '@/gpu/device';
import { type ParamsCache } from '@/gpu/params';
import { type Kernel, type KernelSource } from '@/gpu/pipelines';
import { type Resources } from '@/gpu/recorder';
import { type Center, type GroupSpec, type Scope } from '@/tensor/engine';
import { type BlockRun, type BlockTable } from './blocks';
import { DTYPE_CODES, dtypeOf, type GroupWeights, type Values } from './chunk-buffers';
import { type ChunkMap } from './chunk-map';
import { type MergedBuffers } from './merged-buffers';

/** `direct` suits software adapters, `workgroup` GPUs; both count the same. */
export type Tally = 'direct' | 'workgroup';

/** How kernels count. */
export interface Counting {
  /** How histograms count: shaders/shared/tally_direct.wgsl or tally_workgroup.wgsl. */
  readonly tally: Tally;
  /** Entries, for each made at once, from which global selections count two digits as one (select.ts). */
  readonly jointFrom: number;
}

export interface GroupContext {
  readonly handle: DeviceHandle;
  readonly spec: GroupSpec;
  readonly counting: Counting;
  readonly weights: GroupWeights;
  readonly merged: MergedBuffers;
  readonly params: ParamsCache;
  readonly table: BlockTable;
  /** The block table on the GPU. */
  readonly blocks: GPUBuffer;
  /** By chunk: where its elements lie in its buffers. */
  readonly maps: readonly ChunkMap[];
}

/** Whose task vector is looked at, and over which scopes. */
export interface DeltaSource {
  readonly center: Center;
  readonly task: number;
  readonly scope: Scope;
}

/** Kernels that look at u, one for each pair of dtypes that its chunks have. */
export type DeltaKernels = (chunkIndex: number) => Kernel;

/** Compiles what a kernel needs to look at the task vectors of `source`. */
export async function deltaKernels(
  context: GroupContext,
  kernel: KernelSource,
  source: DeltaSource,
): Promise<DeltaKernels> {
  const { handle, spec, merged } = context;
  const kernels = await Promise.all(
    spec.chunks.map(({ index, dtypes: [base] }) => {
      const center = source.center === 'base' ? base! : merged.chunk(index).dtype;
      const task = dtypeOf(spec.chunks, source.task + 1, index);
      const dtypes = { CENTER_DTYPE: DTYPE_CODES[center], TASK_DTYPE: DTYPE_CODES[task] };
      return handle.pipelines.get({ ...kernel, overrides: { ...kernel.overrides, ...dtypes } });
    }),
  );
  return (chunkIndex) => kernels[chunkIndex]!;
}

/** Bindings shared by the kernels that look at u (shaders/shared/delta.wgsl). */
export function deltaResources(
  context: GroupContext,
  kernel: Kernel,
  source: DeltaSource,
  chunkIndex: number,
  run: BlockRun = context.table.ofChunk[chunkIndex]!,
): Resources {
  const params = context.params.get(kernel, {
    per_tensor: source.scope === 'tensor' ? 1 : 0,
    first_block: run.first,
    block_count: run.count,
  });
  const center = centerValues(context, source.center, chunkIndex).slice;
  const task = context.weights.checkpoint(source.task + 1, chunkIndex).slice;
  return { params, center, task, blocks: context.blocks };
}

/** Checkpoints that kernels need at hand to look at the task vectors of `source`. */
export function deltaCheckpoints({
  center,
  task,
}: Pick<DeltaSource, 'center' | 'task'>): readonly number[] {
  return center === 'base' ? [0, task + 1] : [task + 1];
}

/** During a visit to the chunk where the center is the base. */
function centerValues(
  { weights, merged }: GroupContext,
  center: Center,
  chunkIndex: number,
): Values {
  return center === 'base' ? weights.checkpoint(0, chunkIndex) : merged.chunk(chunkIndex);
}

/** Elements of every scope: one for `global`, one a tensor for `tensor`. */
export function scopeSizes(spec: GroupSpec, scope: Scope): readonly number[] {
  if (scope === 'global') return [spec.layout.elementCount];
  return spec.layout.tensors.map((tensor) => tensor.elementCount);
}
