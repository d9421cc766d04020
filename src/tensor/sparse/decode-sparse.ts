/** Reads the kept entries of one tensor from a sparse vector's file. */
import { PeruError } from '../errors';
import { decodeFloats } from '../half';
import { readRange } from '../safetensors';
import { type TensorInfo } from '../safetensors-header';
import { decodeGaps, GapsError } from './gaps';
import { type SparseFile, type SparseTensor } from './sparse-file';

/** What is added to one tensor of the merged model: `tensor.flat[positions] += values`. */
export interface SparseEntries {
  /** Row-major inside the tensor, strictly ascending. */
  readonly positions: Uint32Array<ArrayBuffer>;
  /** One a position, as float32. */
  readonly values: Float32Array<ArrayBuffer>;
}

/**
 * @param name a tensor of `file.tensors`
 * @param elementCount elements it has in the merged model
 * @throws PeruError `parse` for gaps that lie outside the tensor, repeat a position or are not as
 *   many as the values; `source` when the file can not be read; RangeError for a name not in it
 */
export async function decodeSparseTensor(
  blob: Blob,
  file: SparseFile,
  name: string,
  elementCount: number,
  signal?: AbortSignal,
): Promise<SparseEntries> {
  const tensor = file.tensors.get(name);
  if (tensor === undefined) throw new RangeError(`${file.fileName} keeps nothing of "${name}".`);
  const read = ({ byteStart, byteLength }: TensorInfo): Promise<Uint8Array<ArrayBuffer>> =>
    readRange(blob, byteStart, byteStart + byteLength, file.fileName, signal);
  const positions = positionsOf(file, tensor, await read(tensor.gaps), elementCount);
  const scale = tensor.scale === null ? null : await read(tensor.scale);
  const values = decodeValues(tensor, await read(tensor.values), scale);
  return { positions, values };
}

function positionsOf(
  { fileName }: SparseFile,
  { name, kept }: SparseTensor,
  gaps: Uint8Array,
  elementCount: number,
): Uint32Array<ArrayBuffer> {
  const broken = (what: string, cause?: unknown): PeruError =>
    new PeruError(
      'parse',
      `${fileName} is damaged: the gaps of "${name}" ${what}.`,
      'Add the file together with the merged model it was exported with, or export the task again.',
      { cause },
    );
  let positions: Uint32Array<ArrayBuffer>;
  try {
    positions = decodeGaps(gaps, elementCount);
  } catch (cause) {
    if (cause instanceof GapsError) throw broken(cause.message, cause);
    throw cause;
  }
  if (positions.length === kept) return positions;
  throw broken(`give ${positions.length} positions for ${kept} values`);
}

/** I8 values are counts of a step, a float32; the product is rounded once, to float32. */
function decodeValues(
  { dtype }: SparseTensor,
  bytes: Uint8Array<ArrayBuffer>,
  scale: Uint8Array<ArrayBuffer> | null,
): Float32Array<ArrayBuffer> {
  if (dtype !== 'I8') return decodeFloats(bytes, dtype);
  const step = decodeFloats(scale ?? new Uint8Array(4), 'F32')[0]!;
  return Float32Array.from(new Int8Array(bytes.buffer), (count) => count * step);
}
