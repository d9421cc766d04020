/** Folders of small models and adapters that open, and what came of opening them. */
import { expect } from 'vitest';
import { type AddedFile } from '@/protocol/requests';
import { type FileHeader } from './case-files.fixture';
import { openFiles } from './open-files.fixture';

export const MODEL: FileHeader = {
  metadata: { format: 'pt' },
  tensors: { 'encoder.layer.0.dense.weight': 'F32[8,8]', 'encoder.layer.0.dense.bias': 'F32[8]' },
};
export const CONFIG = '{"model_type":"bert"}';
export const model = (folder: string) => ({
  [`${folder}/config.json`]: CONFIG,
  [`${folder}/model.safetensors`]: MODEL,
});
const ADAPTER: FileHeader = {
  tensors: {
    'base_model.model.encoder.layer.0.dense.lora_A.weight': 'F32[2,8]',
    'base_model.model.encoder.layer.0.dense.lora_B.weight': 'F32[8,2]',
  },
};
export const ADAPTER_CONFIG = JSON.stringify({
  peft_type: 'LORA',
  r: 2,
  lora_alpha: 2,
  target_modules: ['dense'],
});
export const adapter = (folder: string) => ({
  [`${folder}/adapter_config.json`]: ADAPTER_CONFIG,
  [`${folder}/adapter_model.safetensors`]: ADAPTER,
});

/** What opened: the base, then the tasks. */
export async function openedNames(files: readonly AddedFile[], base?: string) {
  const { preflight, error } = await openFiles(files, base);
  expect(error).toBeNull();
  return preflight!.checkpoints.map(({ name, role }) => (role === 'base' ? `(${name})` : name));
}

export async function refusal(files: readonly AddedFile[]) {
  const { error } = await openFiles(files);
  expect(error).not.toBeNull();
  return `${error!.message} ${error!.hint}`;
}
