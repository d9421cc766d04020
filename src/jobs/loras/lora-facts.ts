import { type LoraFile } from '@/formats/lora-file/lora-file';
import { type CheckpointSize } from '@/jobs/group/group-facts';
import { type SafetensorsDtype } from '@/tensor/safetensors-dtype';
import { type StoredTensor } from '@/tensor/checkpoint-tensors';

/** What the header says of a file. */
export function fileSize(file: LoraFile): CheckpointSize {
  const elements = new Map<SafetensorsDtype, number>();
  for (const { dtype, elementCount } of tensorsOf(file)) {
    elements.set(dtype, (elements.get(dtype) ?? 0) + elementCount);
  }
  const parameterCount = tensorsOf(file).reduce((sum, { elementCount }) => sum + elementCount, 0);
  const dtypes = [...elements].sort((a, b) => b[1] - a[1]).map(([dtype]) => dtype);
  const { byteLength, order } = file;
  return { byteLength, facts: { parameterCount, dtypes, tensorCount: order.length } };
}

/** All that is read of it. */
export function tensorsOf({ modules, carried }: LoraFile): StoredTensor[] {
  const own = modules.flatMap(({ up, down, mid, alpha }) => [down, mid, up, alpha]);
  return [...own.filter((one) => one !== null), ...carried];
}
