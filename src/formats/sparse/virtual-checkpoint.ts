/**
 * A task's model as a checkpoint that lies nowhere as a file: theta* of the merged model plus the
 * values of a sparse vector, added in f32 as `WeightGroup.materialize` does, so that the same model
 * is scored again. Bytes are computed when a range of them is read.
 */
import { type CheckpointTensors, type StoredTensor } from '@/tensor/checkpoint-tensors';
import { isFloatDtype } from '@/tensor/dtype';
import { PeruError } from '@/core/errors';
import { flatLayout } from '@/tensor/layout';
import { type TensorInfo } from '@/tensor/safetensors';
import { type OpenSparse, OverlaidBytes } from './overlaid-bytes';

/**
 * Checks that a sparse vector fits the merged model.
 *
 * @throws PeruError `mismatch` when it changes a tensor that the merged model lacks or holds as no
 *   floating numbers
 */
export function checkSparseFits(
  { file: { fileName, tensors } }: OpenSparse,
  merged: CheckpointTensors,
): void {
  for (const name of tensors.keys()) {
    const tensor = merged.tensors.get(name);
    if (tensor !== undefined && isFloatDtype(tensor.dtype)) continue;
    const what =
      tensor === undefined ? 'the merged model lacks' : `is ${tensor.dtype} in the merged model`;
    throw new PeruError(
      'mismatch',
      `${fileName} changes the tensor "${name}", which ${what} (${merged.name}).`,
      'Keep the files of one export together, and add the folder again.',
    );
  }
}

/**
 * The task's tensors: those of `changed`, as F32; beside them, or in their place, those it keeps
 * whole, as the sparse file has them, under all their names. The rest is the merged model's and
 * left to it.
 *
 * @param changed names of the merged model's floating tensors, at least those the sparse vector
 *   changes; one set for all tasks of a group, so that all of them hold the same tensors
 */
export function virtualCheckpoint(
  name: string,
  merged: CheckpointTensors,
  sparse: OpenSparse,
  changed: ReadonlySet<string>,
): CheckpointTensors {
  const { source: sparseSource, file } = sparse;
  const { fileName, own, tied } = file;
  const names = [...changed].filter((one) => !own.has(one) && !tied.has(one));
  const space = flatLayout(names.map((one) => merged.tensors.get(one)!));
  const source = new OverlaidBytes({ space, merged, sparse });
  const tensors = new Map<string, StoredTensor>();
  for (const { name: tensor, shape, flatStart, elementCount } of space.tensors) {
    const place = { byteStart: 4 * flatStart, byteLength: 4 * elementCount };
    tensors.set(tensor, {
      name: tensor,
      dtype: 'F32',
      shape,
      elementCount,
      ...place,
      fileName,
      source,
    });
  }
  const keep = (key: string, tensor: TensorInfo): void => {
    tensors.set(key, { ...tensor, name: key, fileName, source: sparseSource });
  };
  for (const [key, tensor] of own) keep(key, tensor);
  for (const [copy, key] of tied) keep(copy, own.get(key)!);
  return { name, tensors, byteLength: sparseSource.size };
}
