/** Headers of adapters and their bases, written by hand, without a byte of weights. */
import { type LoraAdapter } from '@/formats/lora/lora-adapter';
import { readAdapterConfig } from '@/formats/peft/config';
import { readPeftAdapter } from '@/formats/peft/read-adapter';
import { type CheckpointTensors, type StoredTensor } from '@/tensor/checkpoint-tensors';
import { bitsPerElement, type SafetensorsDtype } from '@/tensor/safetensors-dtype';

type Entry = readonly number[] | readonly [SafetensorsDtype, ...number[]];
export type Entries = Readonly<Record<string, Entry>>;

/** Tensors by name: a shape, of F32 unless a dtype stands before it. */
export function tensors(name: string, entries: Entries): CheckpointTensors {
  const stored = Object.entries(entries).map(([tensor, entry]): [string, StoredTensor] => {
    const [first, ...rest] = entry;
    const dtype = typeof first === 'string' ? first : 'F32';
    const shape = typeof first === 'string' ? (rest as number[]) : (entry as number[]);
    const elementCount = shape.reduce((a, b) => a * b, 1);
    const byteLength = (elementCount * bitsPerElement(dtype)) / 8;
    const place = { byteStart: 0, fileName: `${name}.safetensors`, source: new Blob([]) };
    return [tensor, { name: tensor, dtype, shape, elementCount, byteLength, ...place }];
  });
  const byteLength = stored.reduce((sum, [, one]) => sum + one.byteLength, 100);
  return { name, tensors: new Map(stored), byteLength };
}

/** The factors of a linear layer [out, in]. */
export const linear = (module: string, out: number, inputs: number, rank = 2): Entries => ({
  [`${module}.lora_A.weight`]: [rank, inputs],
  [`${module}.lora_B.weight`]: [out, rank],
});

export function adapter(name: string, entries: Entries, config: object = {}): LoraAdapter {
  const fields = { peft_type: 'LORA', r: 2, lora_alpha: 4, ...config };
  return readPeftAdapter({
    name,
    config: readAdapterConfig(fields, `${name}/adapter_config.json`),
    weights: tensors(name, entries),
  });
}
