/** What every operation on a group of checkpoints works with. */
import { type DeviceHandle } from '@/gpu/device';
import { type ParamsCache } from '@/gpu/params';
import { type Kernel } from '@/gpu/pipelines';
import { type Resources } from '@/gpu/recorder';
import { type Center, type GroupSpec, type Scope } from '@/tensor/engine';
import { type Piece } from '@/tensor/pieces';
import { type BlockRun, type BlockTable } from './blocks';
import { DTYPE_CODES, type GroupBuffers } from './chunk-buffers';

/** `direct` suits software adapters, `workgroup` GPUs; both count the same. */
export type Tally = 'direct' | 'workgroup';

export interface GroupContext {
  readonly handle: DeviceHandle;
  readonly spec: GroupSpec;
  /** How histograms count: shaders/shared/tally_direct.wgsl or tally_workgroup.wgsl. */
  readonly tally: Tally;
  readonly weights: GroupBuffers;
  readonly params: ParamsCache;
  readonly table: BlockTable;
  /** The block table on the GPU. */
  readonly blocks: GPUBuffer;
  /** By chunk, in order. */
  readonly pieces: readonly (readonly Piece[])[];
}

/** Whose task vector is looked at, and over which scopes. */
export interface DeltaSource {
  readonly center: Center;
  readonly task: number;
  readonly scope: Scope;
}

/** Bindings shared by the kernels that look at u (shaders/shared/delta.wgsl). */
export function deltaResources(
  context: GroupContext,
  kernel: Kernel,
  source: DeltaSource,
  chunkIndex: number,
  run: BlockRun = context.table.ofChunk[chunkIndex]!,
): Resources {
  const center = context.weights.center(source.center, chunkIndex);
  const task = context.weights.checkpoint(source.task + 1, chunkIndex);
  const params = context.params.get(kernel, {
    center_dtype: DTYPE_CODES[center.dtype],
    task_dtype: DTYPE_CODES[task.dtype],
    per_tensor: source.scope === 'tensor' ? 1 : 0,
    first_block: run.first,
    block_count: run.count,
  });
  return { params, center: center.slice, task: task.slice, blocks: context.blocks };
}

/** Elements of every scope: one for `global`, one a tensor for `tensor`. */
export function scopeSizes(spec: GroupSpec, scope: Scope): readonly number[] {
  if (scope === 'global') return [spec.layout.elementCount];
  return spec.layout.tensors.map((tensor) => tensor.elementCount);
}
