/** Float32 weights for the evaluator: a checkpoint's, theta*'s, or the center plus kept entries. */
import { type BufferScope } from '@/gpu/buffers';
import { guarded } from '@/gpu/guard';
import { type Kernel } from '@/gpu/pipelines';
import { readBack } from '@/gpu/readback';
import { type BufferSlice, PassRecorder } from '@/gpu/recorder';
import { type FloatDtype } from '@/tensor/dtype';
import { type ModelWeights, type WeightsOf } from '@/tensor/engine';
import { type Piece } from '@/tensor/pieces';
import { type BlockRun } from './blocks';
import { DTYPE_CODES, type Values } from './chunk-buffers';
import { deltaResources, type GroupContext } from './group-context';
import { type SelectionFacts } from './select';
import { KERNELS } from './sources';

/** What to write: decoded values, or a selection applied. */
export type PlainWeights = Exclude<WeightsOf, { kind: 'sparse' }>;
export type WeightsJob =
  | PlainWeights
  | {
      readonly kind: 'sparse';
      readonly selection: SelectionFacts;
      readonly valueDtype: FloatDtype;
    };

/** A run of blocks and where its weights go. */
interface Target {
  readonly chunkIndex: number;
  readonly run: BlockRun;
  readonly weights: BufferSlice;
  /** Added to a position in the chunk gives the position in `weights`. */
  readonly shift: number;
  /** Blocks and target agree in their alignment to four elements (shared/store_vector.wgsl). */
  readonly aligned: boolean;
}

interface WriteKernels {
  readonly vector: Kernel;
  readonly scalar: Kernel;
}

/** Tensors' weights as one GPU buffer each, written in place, a dispatch a tensor and chunk. */
export async function weightsOnGpu(context: GroupContext, job: WeightsJob): Promise<ModelWeights> {
  const { handle, spec } = context;
  const kernels = await writeKernels(context, job);
  const scope = handle.buffers.scope();
  try {
    const buffers = await guarded(handle, 'laying out weights', () => {
      const tensors = spec.layout.tensors.map((t) => tensorBuffer(scope, t.name, t.elementCount));
      const recorder = new PassRecorder(handle, 'apply');
      for (const { index } of spec.chunks) {
        context.pieces[index]!.forEach((piece, p) => {
          const target = pieceTarget(context, index, p, tensors[piece.tensor]!);
          write(context, recorder, kernels, job, target);
        });
      }
      recorder.submit();
      return tensors;
    });
    return modelWeights(context, buffers, () => {
      scope.release();
    });
  } catch (error) {
    scope.destroy();
    throw error;
  }
}

/** Tensors' weights in memory; one readback a chunk. */
export async function weightsInMemory(
  context: GroupContext,
  job: WeightsJob,
): Promise<ModelWeights> {
  const { handle, spec } = context;
  const kernels = await writeKernels(context, job);
  const tensors = spec.layout.tensors.map((tensor) => new Float32Array(tensor.elementCount));
  for (const { index, elementCount } of spec.chunks) {
    const byteLength = 4 * elementCount;
    const bytes = await handle.buffers.lend(async (scope) => {
      const [chunk] = await readBack(handle, 'reading weights', () => {
        const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC;
        const source = scope.create('chunk weights', byteLength, usage);
        const recorder = new PassRecorder(handle, 'apply');
        write(context, recorder, kernels, job, chunkTarget(context, index, source));
        recorder.endPass();
        return { encoder: recorder.encoder, ranges: [{ source, byteLength }] };
      });
      return chunk!;
    });
    const values = new Float32Array(bytes);
    for (const { tensor, chunkStart, elementCount: count, tensorStart } of context.pieces[index]!)
      tensors[tensor]!.set(values.subarray(chunkStart, chunkStart + count), tensorStart);
  }
  return modelWeights(context, tensors, () => undefined);
}

async function writeKernels({ handle }: GroupContext, job: WeightsJob): Promise<WriteKernels> {
  const [vectorSource, scalarSource] =
    job.kind === 'sparse'
      ? [KERNELS.applyVector, KERNELS.applyScalar]
      : [KERNELS.decodeVector, KERNELS.decodeScalar];
  const [vector, scalar] = await Promise.all([
    handle.pipelines.get(vectorSource),
    handle.pipelines.get(scalarSource),
  ]);
  return { vector, scalar };
}

function tensorBuffer(scope: BufferScope, name: string, elementCount: number): GPUBuffer {
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  return scope.create(`weights ${name}`, 4 * elementCount, usage);
}

/** Binds the part of a tensor's buffer that one chunk fills, from where bindings may start. */
function pieceTarget(
  context: GroupContext,
  chunkIndex: number,
  pieceIndex: number,
  buffer: GPUBuffer,
): Target {
  const piece = context.pieces[chunkIndex]![pieceIndex]!;
  const run = context.table.ofPiece[chunkIndex]![pieceIndex]!;
  const align = context.handle.device.limits.minStorageBufferOffsetAlignment;
  const offset = 4 * piece.tensorStart - ((4 * piece.tensorStart) % align);
  const lead = piece.tensorStart - offset / 4;
  const size = Math.min(buffer.size - offset, Math.ceil((lead + piece.elementCount) / 4) * 16);
  const shift = lead - piece.chunkStart;
  const endsTensor =
    piece.tensorStart + piece.elementCount ===
    context.spec.layout.tensors[piece.tensor]!.elementCount;
  const endAligned = endsTensor || (piece.chunkStart + piece.elementCount) % 4 === 0;
  const aligned = piece.chunkStart % 4 === 0 && shift % 4 === 0 && endAligned;
  return { chunkIndex, run, weights: { buffer, offset, size }, shift, aligned };
}

/** The whole chunk into one buffer. */
function chunkTarget(context: GroupContext, chunkIndex: number, buffer: GPUBuffer): Target {
  const startsAligned = (piece: Piece): boolean => piece.chunkStart % 4 === 0;
  return {
    chunkIndex,
    run: context.table.ofChunk[chunkIndex]!,
    weights: { buffer, offset: 0, size: buffer.size },
    shift: 0,
    aligned: context.pieces[chunkIndex]!.every(startsAligned),
  };
}

function write(
  context: GroupContext,
  recorder: PassRecorder,
  kernels: WriteKernels,
  job: WeightsJob,
  target: Target,
): void {
  const kernel = target.aligned ? kernels.vector : kernels.scalar;
  const { chunkIndex, run, weights, shift } = target;
  if (job.kind !== 'sparse') {
    const { slice, dtype } = plainValues(context, job, chunkIndex);
    const params = context.params.get(kernel, {
      dtype: DTYPE_CODES[dtype],
      first_block: run.first,
      block_count: run.count,
      shift,
    });
    const resources = { params, values: slice, blocks: context.blocks, weights };
    recorder.dispatch(kernel, resources, run.count);
    return;
  }
  const value_dtype = DTYPE_CODES[job.valueDtype];
  const resources = {
    ...deltaResources(context, kernel, job.selection, chunkIndex, run),
    states: job.selection.states,
    weights,
    target_params: context.params.get(kernel, { value_dtype, shift }, 'target_params'),
  };
  recorder.dispatch(kernel, resources, run.count);
}

function plainValues(context: GroupContext, job: PlainWeights, chunkIndex: number): Values {
  switch (job.kind) {
    case 'base':
      return context.weights.checkpoint(0, chunkIndex);
    case 'merged':
      return context.weights.center('merged', chunkIndex);
    case 'task':
      return context.weights.checkpoint(job.task + 1, chunkIndex);
  }
}

function modelWeights(
  { spec }: GroupContext,
  data: readonly (Float32Array | GPUBuffer)[],
  dispose: () => void,
): ModelWeights {
  const entries = spec.layout.tensors.map(
    ({ name, shape }, i) => [name, { shape, data: data[i]! }] as const,
  );
  return { tensors: new Map(entries), dispose };
}
