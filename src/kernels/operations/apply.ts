/** Float32 weights for the evaluator: a checkpoint's, theta*'s, or the center plus kept entries. */
import { type BufferScope } from '@/gpu/buffers';
import { type Kernel } from '@/gpu/pipelines';
import { readBack } from '@/gpu/readback';
import { type BufferSlice, PassRecorder } from '@/gpu/recorder';
import { VALUE_CODECS } from '@/codecs/value-codecs';
import { type ValueDtype } from '@/tensor/dtype';
import { addEntries } from '@/codecs/add-entries';
import { type ModelWeights, type WeightsOf } from '@/tensor/engine';
import { BLOCK_PARTS, type BlockRun } from '@/kernels/weights/blocks';
import { DTYPE_CODES, dtypeOf, valueCode, type Values } from '@/kernels/weights/chunk-buffers';
import { type PlacedPiece } from '@/kernels/weights/chunk-map';
import {
  deltaCheckpoints,
  type DeltaKernels,
  deltaKernels,
  deltaResources,
  type GroupContext,
} from '@/kernels/weights/group-context';
import { addToBuffers } from './add-entries';
import { keptScales, scaleBuffer } from './kept-scales';
import { type SelectionFacts } from './select';
import { KERNELS, VALUE_KERNELS } from '@/kernels/weights/wgsl';
import { chunkWeightsBytes } from '@/kernels/weights/staging';
import { runWork, type Work } from '@/kernels/weights/work';

/** What to write: decoded values, what is added to them, or a selection applied. */
export type PlainWeights = Exclude<WeightsOf, { kind: 'sparse' | 'added' }>;
export type WeightsJob =
  | PlainWeights
  | Extract<WeightsOf, { kind: 'added' }>
  | {
      readonly kind: 'sparse';
      readonly selection: SelectionFacts;
      readonly valueDtype: ValueDtype;
      readonly rescaled?: boolean;
    };

type LaidJob = Exclude<WeightsJob, { kind: 'added' }>;

/** Lays out steps of values on the GPU; null where there are none. Call inside `withErrorScopes`. */
type MakeScales = (scope: BufferScope) => GPUBuffer | null;

/** A run of blocks and where its weights go. */
interface Target {
  readonly chunkIndex: number;
  readonly run: BlockRun;
  readonly weights: BufferSlice;
  /** Added to a position in the chunk's buffers gives the position in `weights`. */
  readonly shift: number;
}

/**
 * Tensors' weights as one GPU buffer each, written in place, a dispatch (plain F32: a copy) a tensor
 * and chunk. One pass over what the weights are made of; values with steps take another before.
 */
export async function weightsOnGpu(
  context: GroupContext,
  whole: WeightsJob,
): Promise<ModelWeights> {
  const { handle, spec } = context;
  const job = laidFirst(whole);
  const kernels = await writeKernels(context, job);
  const makeScales = await scalesOf(context, job);
  const scope = handle.buffers.scope();
  try {
    let buffers: GPUBuffer[] = [];
    const lay = (scratch: BufferScope) => (): Work => {
      buffers = spec.layout.tensors.map((t) => tensorBuffer(scope, t.name, t.elementCount));
      const scales = makeScales(scratch);
      const each = (recorder: PassRecorder, index: number): void => {
        const plain = plainF32(context, job, index);
        context.maps[index]!.pieces.forEach((piece, p) => {
          const tensor = buffers[piece.tensor]!;
          if (plain) {
            copyPiece(recorder, plain, piece, tensor);
          } else {
            const target = pieceTarget(context, index, p, tensor);
            write(context, recorder, kernels(index), job, target, scales);
          }
        });
      };
      return { steps: [{ checkpoints: jobCheckpoints(job), each }] };
    };
    await handle.buffers.lend((scratch) =>
      runWork(context, 'laying out weights', 'apply', lay(scratch)),
    );
    if (whole.kind === 'added') await addToBuffers(context, buffers, whole.entries);
    return modelWeights(context, buffers, () => {
      scope.release();
    });
  } catch (error) {
    scope.destroy();
    throw error;
  }
}

/** Tensors' weights in memory; one pass and one readback a chunk. */
export async function weightsInMemory(
  context: GroupContext,
  whole: WeightsJob,
): Promise<ModelWeights> {
  const { handle, spec } = context;
  const job = laidFirst(whole);
  const kernels = await writeKernels(context, job);
  const makeScales = await scalesOf(context, job);
  const tensors = spec.layout.tensors.map((tensor) => new Float32Array(tensor.elementCount));
  const room = chunkWeightsBytes(context.maps);
  await handle.buffers.lend(async (scope) => {
    // By the first chunk that needs it; encoding, which clears, uses it again.
    let made: { readonly source: GPUBuffer; readonly scales: GPUBuffer | null } | null = null;
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    for await (const index of context.weights.walk(jobCheckpoints(job))) {
      const { pieces, paddedCount } = context.maps[index]!;
      const range = { byteLength: 4 * paddedCount, room };
      const [bytes] = await readBack(handle, 'reading weights', () => {
        const recorder = new PassRecorder(handle, 'apply');
        const plain = plainF32(context, job, index);
        if (plain) return { encoder: recorder.encoder, ranges: [{ ...plain, ...range }] };
        const { source, scales } = (made ??= {
          source: scope.create('chunk weights', room, usage),
          scales: makeScales(scope),
        });
        const target = chunkTarget(context, index, source);
        write(context, recorder, kernels(index), job, target, scales);
        recorder.endPass();
        return { encoder: recorder.encoder, ranges: [{ source, ...range }] };
      });
      const values = new Float32Array(bytes!);
      for (const { tensor, bufferStart, elementCount, tensorStart } of pieces)
        tensors[tensor]!.set(values.subarray(bufferStart, bufferStart + elementCount), tensorStart);
    }
  });
  if (whole.kind === 'added') addEntries(tensors, whole.entries);
  return modelWeights(context, tensors, () => undefined);
}

/** Entries are added to their center, which is laid out as it is. */
function laidFirst(job: WeightsJob): LaidJob {
  return job.kind === 'added' ? { kind: job.center } : job;
}

/** The kernel of each chunk. */
async function writeKernels(context: GroupContext, job: LaidJob): Promise<DeltaKernels> {
  if (job.kind === 'sparse') {
    const kernel = VALUE_KERNELS.apply[VALUE_CODECS[job.valueDtype].wgsl]!;
    return deltaKernels(context, kernel, job.selection);
  }
  const { handle, spec } = context;
  const kernels = await Promise.all(
    spec.chunks.map(({ index }) => {
      const DTYPE = DTYPE_CODES[plainDtype(context, job, index)];
      return handle.pipelines.get({ ...KERNELS.decode, overrides: { DTYPE } });
    }),
  );
  return (chunkIndex) => kernels[chunkIndex]!;
}

async function scalesOf(context: GroupContext, job: LaidJob): Promise<MakeScales> {
  if (job.kind !== 'sparse') return () => null;
  const { scales } = await keptScales(context, job.selection, job);
  return (scope) => scales && scaleBuffer(context, scope, scales);
}

function tensorBuffer(scope: BufferScope, name: string, elementCount: number): GPUBuffer {
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  return scope.create(`weights ${name}`, 4 * elementCount, usage);
}

/** The chunk's values where they are float32 already and need no kernel. */
function plainF32(context: GroupContext, job: LaidJob, chunkIndex: number) {
  if (job.kind === 'sparse') return null;
  const { slice, dtype } = plainValues(context, job, chunkIndex);
  return dtype === 'F32' ? { source: slice.buffer, offset: slice.offset } : null;
}

function copyPiece(
  recorder: PassRecorder,
  { source, offset }: { readonly source: GPUBuffer; readonly offset: number },
  { bufferStart, tensorStart, elementCount }: PlacedPiece,
  tensor: GPUBuffer,
): void {
  const from = offset + 4 * bufferStart;
  recorder.endPass();
  recorder.encoder.copyBufferToBuffer(source, from, tensor, 4 * tensorStart, 4 * elementCount);
}

/** Binds the part of a tensor's buffer that one chunk fills, from where bindings may start. */
function pieceTarget(
  context: GroupContext,
  chunkIndex: number,
  pieceIndex: number,
  buffer: GPUBuffer,
): Target {
  const piece = context.maps[chunkIndex]!.pieces[pieceIndex]!;
  const run = context.table.ofPiece[chunkIndex]![pieceIndex]!;
  const align = context.handle.device.limits.minStorageBufferOffsetAlignment;
  const offset = 4 * piece.tensorStart - ((4 * piece.tensorStart) % align);
  const lead = piece.tensorStart - offset / 4;
  const size = Math.min(buffer.size - offset, Math.ceil((lead + piece.elementCount) / 4) * 16);
  return { chunkIndex, run, weights: { buffer, offset, size }, shift: lead - piece.bufferStart };
}

/** The whole chunk into one buffer. */
function chunkTarget(context: GroupContext, chunkIndex: number, buffer: GPUBuffer): Target {
  const run = context.table.ofChunk[chunkIndex]!;
  return { chunkIndex, run, weights: { buffer, offset: 0, size: buffer.size }, shift: 0 };
}

function write(
  context: GroupContext,
  recorder: PassRecorder,
  kernel: Kernel,
  job: LaidJob,
  target: Target,
  scales: GPUBuffer | null,
): void {
  const { chunkIndex, run, weights } = target;
  const shift = target.shift / 4;
  const groups = BLOCK_PARTS * run.count;
  if (job.kind !== 'sparse') {
    const { slice } = plainValues(context, job, chunkIndex);
    const params = context.params.get(kernel, {
      first_block: run.first,
      block_count: run.count,
      shift,
    });
    const resources = { params, values: slice, blocks: context.blocks, weights };
    recorder.dispatch(kernel, resources, groups);
    return;
  }
  const value_dtype = valueCode(job.valueDtype);
  const resources = {
    ...deltaResources(context, kernel, job.selection, chunkIndex, run),
    states: job.selection.states,
    weights,
    target_params: context.params.get(kernel, { value_dtype, shift }, 'target_params'),
    ...(scales && { scales }),
  };
  recorder.dispatch(kernel, resources, groups);
}

/** Checkpoints that the weights are made of. */
function jobCheckpoints(job: LaidJob): readonly number[] {
  switch (job.kind) {
    case 'base':
      return [0];
    case 'merged':
      return [];
    case 'task':
      return [job.task + 1];
    case 'sparse':
      return deltaCheckpoints(job.selection);
  }
}

function plainValues(context: GroupContext, job: PlainWeights, chunkIndex: number): Values {
  if (job.kind === 'merged') return context.merged.chunk(chunkIndex);
  return context.weights.checkpoint(job.kind === 'base' ? 0 : job.task + 1, chunkIndex);
}

function plainDtype({ spec, merged }: GroupContext, job: PlainWeights, chunkIndex: number) {
  if (job.kind === 'merged') return merged.chunk(chunkIndex).dtype;
  return dtypeOf(spec.chunks, job.kind === 'base' ? 0 : job.task + 1, chunkIndex);
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
