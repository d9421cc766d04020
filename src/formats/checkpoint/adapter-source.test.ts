import { describe, expect, it } from 'vitest';
import { f32, soundFile } from '@/tensor/safetensors.fixture';
import { baseOfAdapters, openAdapter } from './adapter-source';
import { groupLocalFiles } from '@/sources/local-files';

const config = new Blob(['{"peft_type":"LORA","r":1,"lora_alpha":3}']);
const weights = new Blob([soundFile({ 'q.lora_A.weight': f32([1, 2], [1, 2]) })]);

const only = (files: Readonly<Record<string, Blob>>) =>
  groupLocalFiles(Object.entries(files).map(([name, file]) => ({ path: `cola/${name}`, file })))
    .adapters[0]!;

describe('openAdapter', () => {
  it('reads the configuration and the header', async () => {
    const files = { 'adapter_config.json': config, 'adapter_model.safetensors': weights };
    const adapter = await openAdapter(only(files));
    expect(adapter.name).toBe('cola');
    expect(adapter.config.settingsOf('q')).toEqual({ rank: 1, scale: 3 });
    expect([...adapter.weights.tensors.keys()]).toEqual(['q.lora_A.weight']);
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
    await expect(openAdapter(only(whole))).rejects.toThrow(message);
  });

  it('says which file of a repo is missing', async () => {
    const source = { id: 'x', name: 'x', folder: 'x', open: () => Promise.resolve(null) };
    await expect(openAdapter(source)).rejects.toMatchObject({
      kind: 'source',
      message: 'x has no file adapter_config.json.',
    });
  });
});

describe('baseOfAdapters', () => {
  const repo = (name: string) => ({
    id: `id-${name}`,
    name,
    folder: name,
    weightsPath: 'model.safetensors',
    open: () => Promise.resolve(null),
  });
  const adapters = ['cola', 'mnli', 'mrpc', 'qnli'].map(repo);
  const [a, b] = [repo('a'), repo('b')];

  it('is the only full checkpoint', () => {
    expect(baseOfAdapters(adapters, [a], undefined)).toBe(a);
  });

  it('must be there', () => {
    expect(() => baseOfAdapters(adapters, [], undefined)).toThrow(
      /without their base model: cola, mnli, mrpc and 1 more/,
    );
  });

  it('is asked for where full models came with adapters', () => {
    expect(() => baseOfAdapters(adapters, [a, b], undefined)).toThrow(
      expect.objectContaining({
        kind: 'choose-base',
        choices: [
          { id: 'id-a', name: 'a' },
          { id: 'id-b', name: 'b' },
        ],
      }) as Error,
    );
    expect(baseOfAdapters(adapters, [a, b], 'id-b')).toBe(b);
  });
});
