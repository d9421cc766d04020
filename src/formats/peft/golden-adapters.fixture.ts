/** The golden adapters of scripts/golden_adapters.py, as files that a visitor would add. */
import { readdirSync, readFileSync } from 'node:fs';
import { type CheckpointTensors, checkpointTensors } from '@/tensor/checkpoint-tensors';
import { decodeFloats } from '@/tensor/half';
import { isFloatDtype } from '@/tensor/dtype';
import { readSafetensorsHeader } from '@/tensor/safetensors';
import { readStored } from '@/formats/lora/read-products';

const root = new URL('./golden/', import.meta.url);

/** Names of the folders that hold a merged result, and of those that are refused. */
export const GOLDEN_CASES = readdirSync(new URL('cases/', root)).sort();
export const GOLDEN_REFUSED = readdirSync(new URL('refused/', root)).sort();

/** An adapter as a repo; `folder` is `cases/NAME` or `refused/NAME`. */
export function goldenSource(folder: string) {
  const open = (path: string): Promise<Blob | null> => {
    const url = new URL(`${folder}/${path}`, root);
    return Promise.resolve(new Blob([readFileSync(url)]));
  };
  return { id: folder, name: folder, folder, open };
}

export async function goldenBase(folder: string): Promise<CheckpointTensors> {
  const name = readFileSync(new URL(`${folder}/base.txt`, root), 'utf8').trim();
  return goldenFile(`bases/${name}.safetensors`);
}

export async function goldenFile(path: string): Promise<CheckpointTensors> {
  const blob = new Blob([readFileSync(new URL(path, root))]);
  return checkpointTensors(path, [{ blob, header: await readSafetensorsHeader(blob, path) }]);
}

/** Values of every floating tensor, by name. */
export async function allValues(
  tensors: CheckpointTensors['tensors'],
): Promise<Map<string, Float32Array>> {
  const values = new Map<string, Float32Array>();
  for (const [name, tensor] of tensors) {
    if (!isFloatDtype(tensor.dtype)) continue;
    values.set(name, decodeFloats(await readStored(tensor), tensor.dtype));
  }
  return values;
}
