/** base + Δ on the GPU, from the factors as they came or from the balanced ones. */
import { invariantError } from '@/core/errors';
import { type BufferScope } from '@/gpu/buffers';
import { withErrorScopes } from '@/gpu/error-scopes';
import { type Kernel } from '@/gpu/pipelines';
import { readBack } from '@/gpu/readback';
import { PassRecorder } from '@/gpu/recorder';
import { type AddedWeights, type LowRankAddition } from '@/tensor/low-rank';
import { weightUsage } from '@/kernels/weights/chunk-buffers';
import { type LowRankContext } from './low-rank-batch';
import { LOW_RANK_KERNELS } from './low-rank-wgsl';

/** Bytes of weights in memory that are on the GPU at one time. */
const PART_BYTES = 128 * 2 ** 20;
/** Flops of one dispatch at most: 50 ms at 80 GFLOP/s. */
const DISPATCH_FLOPS = 4e9;
/** Slices start at multiples of this many rows, so that their offsets are multiples of 256 bytes. */
const ROW_STEP = 64;
const TILE_ROWS = 16;
const TILE_COLUMNS = 64;

/** Where the columns that make up Δ lie. */
export interface AddedColumns {
  readonly values: GPUBuffer;
  readonly columnTable: GPUBuffer;
  readonly leftColumn: number;
  readonly rightColumn: number;
  readonly rank: number;
}

/** One addition with everything looked up. */
export interface AddJob extends AddedColumns {
  readonly addition: LowRankAddition;
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
}

/** New weights as one GPU buffer each, held until they are disposed of. */
export async function addOnGpu(
  context: LowRankContext,
  jobs: readonly AddJob[],
): Promise<AddedWeights> {
  const { handle } = context;
  const kernel = await handle.pipelines.get(LOW_RANK_KERNELS.add);
  const kept = handle.buffers.scope();
  try {
    const data: GPUBuffer[] = [];
    for (const part of partsOf(jobs)) {
      await handle.buffers.lend((scope) =>
        withErrorScopes(handle, 'adding adapters', () => {
          const recorder = new PassRecorder(handle, 'add');
          for (const job of part) {
            const weights = kept.create(`weights ${job.name}`, byteLengthOf(job), weightUsage());
            data.push(weights);
            record(context, recorder, kernel, job, baseBuffer(context, scope, job), weights);
          }
          recorder.submit();
        }),
      );
    }
    const dispose = (): void => {
      kept.release();
    };
    return { data, dispose };
  } catch (error) {
    kept.destroy();
    throw error;
  }
}

/** New weights in memory; one readback for all that fit on the GPU together. */
export async function addInMemory(
  context: LowRankContext,
  jobs: readonly AddJob[],
): Promise<AddedWeights> {
  const { handle } = context;
  const kernel = await handle.pipelines.get(LOW_RANK_KERNELS.add);
  const data: Float32Array[] = [];
  for (const part of partsOf(jobs)) {
    const read = await handle.buffers.lend((scope) =>
      readBack(handle, 'adding adapters', () => {
        const recorder = new PassRecorder(handle, 'add');
        const ranges = part.map((job) => {
          const byteLength = byteLengthOf(job);
          const source = scope.create('weights', byteLength, weightUsage());
          record(context, recorder, kernel, job, baseBuffer(context, scope, job), source);
          return { source, byteLength };
        });
        recorder.endPass();
        return { encoder: recorder.encoder, ranges };
      }),
    );
    data.push(...read.map((bytes) => new Float32Array(bytes)));
  }
  return { data, dispose: () => undefined };
}

function byteLengthOf({ rows, columns }: AddJob): number {
  return 4 * rows * columns;
}

/** Runs of jobs whose weights fit `PART_BYTES`, at least one each. */
function partsOf(jobs: readonly AddJob[]): AddJob[][] {
  const parts: AddJob[][] = [];
  let bytes = Infinity;
  for (const job of jobs) {
    if (bytes + byteLengthOf(job) > PART_BYTES) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)!.push(job);
    bytes += byteLengthOf(job);
  }
  return parts;
}

/** The base where kernels can read it; uploaded when it lies in memory. */
function baseBuffer({ handle }: LowRankContext, scope: BufferScope, job: AddJob): GPUBuffer {
  const { base } = job.addition;
  const byteLength = byteLengthOf(job);
  const has = base instanceof Float32Array ? base.byteLength : base.size;
  if (base instanceof Float32Array ? has !== byteLength : has < byteLength) {
    throw invariantError(`The weight "${job.name}" has ${has} bytes; ${byteLength} were expected.`);
  }
  if (!(base instanceof Float32Array)) return base;
  const buffer = scope.create('base', byteLength, weightUsage());
  handle.device.queue.writeBuffer(buffer, 0, base.buffer, base.byteOffset, byteLength);
  return buffer;
}

/** One dispatch a slice of rows; one slice unless the weight is huge. */
function record(
  { handle, params }: LowRankContext,
  recorder: PassRecorder,
  kernel: Kernel,
  job: AddJob,
  base: GPUBuffer,
  weights: GPUBuffer,
): void {
  const { rows, columns, rank, columnTable: column_table, values } = job;
  const most = rowsOfSlice(handle.device.limits.maxStorageBufferBindingSize, job);
  for (let first = 0; first < rows; first += most) {
    const count = Math.min(most, rows - first);
    const slice = { offset: 4 * first * columns, size: 4 * count * columns };
    const uniform = params.get(kernel, {
      rows: count,
      first_row: first,
      columns,
      rank,
      left_column: job.leftColumn,
      right_column: job.rightColumn,
    });
    const resources = {
      params: uniform,
      column_table,
      values,
      base: { buffer: base, ...slice },
      weights: { buffer: weights, ...slice },
    };
    const tiles = Math.ceil(count / TILE_ROWS) * Math.ceil(columns / TILE_COLUMNS);
    recorder.dispatch(kernel, resources, tiles);
  }
}

function rowsOfSlice(bindingBytes: number, { columns, rank }: AddJob): number {
  const rows = Math.min(bindingBytes / (4 * columns), DISPATCH_FLOPS / (2 * columns * rank));
  return Math.max(1, Math.floor(rows / ROW_STEP)) * ROW_STEP;
}
