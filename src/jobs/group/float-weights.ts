import { type CheckpointTensors } from '@/tensor/checkpoint-tensors';
import { isFloatDtype } from '@/tensor/dtype';
import { type Engine, type ModelWeights } from '@/tensor/engine';
import { flatLayout } from '@/tensor/layout';
import { uploadCheckpoints, type UploadOptions } from './load-weights';

/**
 * Every F32, F16 and BF16 tensor of one checkpoint as float32 weights for the evaluator, through
 * the engine's own decoding. The caller disposes them.
 *
 * @throws PeruError `source`, or `non-finite` unless allowed
 */
export async function floatWeights(
  engine: Engine,
  checkpoint: CheckpointTensors,
  location: 'cpu' | 'gpu',
  options: UploadOptions,
): Promise<ModelWeights> {
  const floats = [...checkpoint.tensors.values()].filter(({ dtype }) => isFloatDtype(dtype));
  const layout = flatLayout(floats.map(({ name, shape }) => ({ name, shape })));
  const uploadBytes = floats.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const dtypeOf = (_: number, name: string) => {
    const dtype = checkpoint.tensors.get(name)?.dtype;
    if (dtype === undefined || !isFloatDtype(dtype))
      throw new RangeError(`"${name}" has no floats.`);
    return dtype;
  };
  const spec = { layout, dtypeOf, uploadBytes, checkpoints: [checkpoint] };
  const group = await uploadCheckpoints(engine, spec, options);
  try {
    return await group.materialize({ kind: 'base' }, location);
  } finally {
    group.dispose();
  }
}
