import { type CheckpointTensors } from '@/tensor/checkpoint-tensors';
import { isFloatDtype } from '@/tensor/dtype';
import { PeruError } from '@/tensor/errors';
import { decodeFloats } from '@/tensor/half';
import { readRange } from '@/tensor/safetensors';

/**
 * One tensor of the base as float32, for the parts of a model that no task changes.
 *
 * @throws PeruError `mismatch` when there is no such floating tensor
 */
export async function readFloatTensor(
  checkpoint: CheckpointTensors,
  name: string,
): Promise<{ shape: readonly number[]; data: Float32Array<ArrayBuffer> }> {
  const tensor = checkpoint.tensors.get(name);
  if (tensor === undefined || !isFloatDtype(tensor.dtype)) {
    throw new PeruError(
      'mismatch',
      `${checkpoint.name} has no floating tensor "${name}", which its config.json calls for.`,
      'Use the complete base model, with its text tower and projections.',
    );
  }
  const { blob, byteStart, byteLength, shape, dtype, fileName } = tensor;
  const bytes = await readRange(blob, byteStart, byteStart + byteLength, fileName);
  return { shape, data: decodeFloats(bytes, dtype) };
}
