import { type LoraFile } from '@/formats/lora-file/lora-file';
import { type CheckpointSize } from '@/jobs/group/group-facts';
import { checkpointFacts } from '@/plan/checkpoint-facts';
import { type StoredTensor } from '@/tensor/checkpoint-tensors';

/** What the header says of a file. */
export function fileSize(file: LoraFile): CheckpointSize {
  const { name, byteLength } = file;
  const tensors = new Map(tensorsOf(file).map((tensor) => [tensor.name, tensor]));
  return { byteLength, facts: checkpointFacts({ name, tensors }) };
}

/** All that is read of it. */
export function tensorsOf({ modules, carried }: LoraFile): StoredTensor[] {
  const own = modules.flatMap(({ up, down, mid, alpha, bias }) => [down, mid, up, alpha, bias]);
  return [...own.filter((one) => one !== null), ...carried];
}
