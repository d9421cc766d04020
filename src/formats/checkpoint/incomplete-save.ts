import { PeruError } from '@/core/errors';

/** What a tensor of an adapter gets told that has no numbers, though the model has some. */
export function incompleteSave({
  fileName,
  name,
  shape,
}: {
  readonly fileName: string;
  readonly name: string;
  readonly shape: readonly number[];
}): PeruError {
  return new PeruError(
    'mismatch',
    `${fileName} is an incomplete save: "${name}" is empty, [${shape.join(', ')}], as DeepSpeed ZeRO-3 leaves tensors whose parts lie on several processes.`,
    'Save again with "stage3_gather_16bit_weights_on_model_save": true in the DeepSpeed configuration, or gather the whole weights with zero_to_fp32.py from the training checkpoint.',
  );
}
