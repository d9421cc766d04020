import { describe, expect, it } from 'vitest';
import { f32, soundFile } from '@/tensor/safetensors.fixture';
import { PEFT } from './peft-format';
import { groupLocalFiles } from '@/sources/local-files';

const config = new Blob(['{"peft_type":"LORA","r":1,"lora_alpha":3}']);
const weights = new Blob([
  soundFile({ 'q.lora_A.weight': f32([1, 2], [1, 2]), 'q.lora_B.weight': f32([2, 1], [1, 2]) }),
]);

const only = (files: Readonly<Record<string, Blob>>) =>
  groupLocalFiles(Object.entries(files).map(([name, file]) => ({ path: `cola/${name}`, file })))
    .adapters[0]!;

describe('PEFT', () => {
  it('reads the configuration and the header', async () => {
    const files = { 'adapter_config.json': config, 'adapter_model.safetensors': weights };
    const adapter = await PEFT.open(only(files));
    expect(adapter.name).toBe('cola');
    expect(adapter.modules).toMatchObject([{ path: 'q', rank: 1, scale: 3 }]);
    expect([...adapter.weights.tensors.keys()]).toEqual(['q.lora_A.weight', 'q.lora_B.weight']);
    expect(adapter.weights.byteLength).toBe(weights.size);
  });

  it.each([
    [
      'broken JSON',
      { 'adapter_config.json': new Blob(['{']) },
      /cola\/adapter_config\.json is not/,
    ],
    ['no LoRA', { 'adapter_config.json': new Blob(['{"peft_type":"IA3"}']) }, /"IA3"/],
    ['no safetensors', { 'adapter_model.safetensors': new Blob(['x']) }, /cola\/adapter_model/],
    [
      'a huge config',
      { 'adapter_config.json': new Blob(['"', 'x'.repeat(2e6)]) },
      /bytes; at most/,
    ],
  ])('refuses %s, naming the file', async (_, files, message) => {
    const whole = { 'adapter_config.json': config, 'adapter_model.safetensors': weights, ...files };
    await expect(PEFT.open(only(whole))).rejects.toThrow(message);
  });

  it('says which file of a repo is missing', async () => {
    const source = { id: 'x', name: 'x', folder: 'x', open: () => Promise.resolve(null) };
    await expect(PEFT.open(source)).rejects.toMatchObject({
      kind: 'source',
      message: 'x has no file adapter_config.json.',
    });
  });
});
