/**
 * How a checkpoint's part of a chunk lies on the GPU, in its file's dtype, placed by the chunk's
 * map; and what operations ask of a group's weights, wherever those are.
 */
import { invariantError } from '@/core/errors';
import { type DeviceHandle } from '@/gpu/device';
import { type BufferSlice, type PassRecorder } from '@/gpu/recorder';
import { bytesPerElement, type FloatDtype, isFloatDtype, type ValueDtype } from '@/tensor/dtype';
import { type Chunk } from '@/tensor/layout';
import { type Wanted } from '@/tensor/page-stream';
import { type ChunkMap, type PlacedRun, wholeUnits } from './chunk-map';

/** Codes of shaders/shared/dtype.wgsl. */
export const DTYPE_CODES: Readonly<Record<FloatDtype, number>> = { F32: 0, F16: 1, BF16: 2 };

/** What shaders/shared/value_float.wgsl is told; the files of other codecs store one dtype only. */
export function valueCode(dtype: ValueDtype): number {
  return isFloatDtype(dtype) ? DTYPE_CODES[dtype] : 0;
}

/** A run of values of one dtype. */
export interface Values {
  readonly slice: BufferSlice;
  readonly dtype: FloatDtype;
}

/** A chunk of all tasks in one buffer: merging binds five however many tasks there are. */
export interface TaskArena {
  readonly buffer: GPUBuffer;
  readonly tasks: readonly Values[];
}

/** Base and tasks of a group. */
export interface GroupWeights {
  /** True where walks visit chunk by chunk, waiting for each; else all chunks are always there. */
  readonly streamed: boolean;
  /** Makes ready for a theta* of so many bytes. */
  reserve(mergedBytes: number): void;
  /** @throws PeruError `internal` when the length is not that of the chunk, or nothing is held */
  upload(checkpoint: number, chunkIndex: number, bytes: Uint8Array<ArrayBuffer>): void;
  /** Values during a visit to the chunk that asked for this checkpoint. */
  checkpoint(checkpoint: number, chunkIndex: number): Values;
  /** Chunk by chunk, with the values of `checkpoints` at hand until the next. */
  walk(checkpoints: readonly number[], wanted?: Wanted): AsyncIterable<number> | readonly number[];
  /** During a visit that asked for all tasks: these in one buffer, copied there where they are not. */
  arena(recorder: PassRecorder, chunkIndex: number, spare: GPUBuffer | null): TaskArena;
  dispose(): void;
}

/** Usage of buffers that hold weights. */
export function weightUsage(): GPUBufferUsageFlags {
  return GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
}

/** @throws PeruError `internal` when there is no such checkpoint or chunk */
export function dtypeOf(
  chunks: readonly Chunk[],
  checkpoint: number,
  chunkIndex: number,
): FloatDtype {
  const dtype = chunks[chunkIndex]?.dtypes[checkpoint];
  if (!dtype) throw invariantError(`There is no chunk ${chunkIndex} of checkpoint ${checkpoint}.`);
  return dtype;
}

/**
 * Where each task lies in a chunk's arena. Runs start where bindings may, so that a single task
 * binds as a part of it.
 */
export function arenaRuns(
  { dtypes }: Pick<Chunk, 'dtypes'>,
  { paddedCount }: ChunkMap,
  align: number,
) {
  let end = 0;
  const runs = dtypes.slice(1).map((dtype) => {
    const run = { offset: end, size: paddedCount * bytesPerElement(dtype), dtype };
    end += Math.ceil(run.size / align) * align;
    return run;
  });
  return { runs, byteLength: end };
}

/**
 * Writes a chunk's bytes where its map places them.
 *
 * @throws PeruError `internal` when the length is not that of the chunk
 */
export function writeChunk(
  { device: { queue } }: DeviceHandle,
  { slice, dtype }: Values,
  chunk: Chunk,
  map: ChunkMap,
  bytes: Uint8Array<ArrayBuffer>,
): void {
  const expected = chunk.elementCount * bytesPerElement(dtype);
  if (bytes.byteLength !== expected) {
    throw invariantError(`Chunk ${chunk.index} takes ${expected} bytes, got ${bytes.byteLength}.`);
  }
  for (const run of map.runs) writeRun(queue, slice, dtype, run, bytes);
}

/** WebGPU writes multiples of four bytes; the last one joins the zeros that pad the run. */
function writeRun(
  queue: GPUQueue,
  slice: BufferSlice,
  dtype: FloatDtype,
  { chunkStart, bufferStart, elementCount }: PlacedRun,
  bytes: Uint8Array<ArrayBuffer>,
): void {
  const each = bytesPerElement(dtype);
  const start = chunkStart * each;
  const size = elementCount * each;
  const target = slice.offset + bufferStart * each;
  const whole = size - (size % 4);
  if (whole > 0) queue.writeBuffer(slice.buffer, target, bytes, start, whole);
  const tail = new Uint8Array(wholeUnits(elementCount) * each - whole);
  if (tail.length === 0) return;
  tail.set(bytes.subarray(start + whole, start + size));
  queue.writeBuffer(slice.buffer, target + whole, tail);
}
