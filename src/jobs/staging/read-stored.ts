import { type StoredTensor } from '@/tensor/checkpoint-tensors';
import { readRange } from '@/tensor/safetensors';

/**
 * Bytes [start, end) of a tensor as its file has them.
 *
 * @throws PeruError `source` when the file can not be read; the signal's reason once aborted
 */
export function readStored(
  tensor: StoredTensor | undefined,
  start: number,
  end: number,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  if (tensor === undefined) throw new RangeError('A tensor was asked for that no file holds.');
  const { source, byteStart, fileName } = tensor;
  return readRange(source, byteStart + start, byteStart + end, fileName, signal);
}
