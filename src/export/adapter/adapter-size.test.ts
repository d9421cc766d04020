import { describe, expect, it } from 'vitest';
import { readSafetensorsHeader } from '@/tensor/safetensors';
import { adapterConfig } from './adapter-config';
import { adapterFolderSize, adapterHeader, tripletBytes } from './adapter-size';

const MODULES = [
  { name: 'encoder.q.weight', rows: 6, columns: 4, rank: 3 },
  { name: 'encoder.v.weight', rows: 6, columns: 4, rank: 1 },
  { name: 'encoder.o.weight', rows: 6, columns: 4, rank: 0 },
];

describe('an adapter folder', () => {
  it('holds A and B of every module that keeps a triplet, in the bytes it tells', async () => {
    const { bytes, fileBytes } = adapterHeader({ modules: MODULES }).header;
    const file = new Blob([bytes, new Uint8Array(fileBytes - bytes.length)]);
    const header = await readSafetensorsHeader(file, 'adapter_model.safetensors');
    expect([...header.tensors].map(([name, { shape }]) => [name, ...shape])).toEqual([
      ['base_model.model.encoder.q.lora_A.weight', 3, 4],
      ['base_model.model.encoder.q.lora_B.weight', 6, 3],
      ['base_model.model.encoder.v.lora_A.weight', 1, 4],
      ['base_model.model.encoder.v.lora_B.weight', 6, 1],
    ]);
    const files = adapterFolderSize('task', { modules: MODULES, otherBytes: 20 });
    expect(files.map(({ name }) => name)).toEqual([
      'task/adapter_config.json',
      'task/adapter_model.safetensors',
    ]);
    expect(files[1]?.bytes).toBe(file.size + 20);
  });

  it('grows by what a triplet costs, and the digits of its numbers', () => {
    const [q] = MODULES;
    const size = (rank: number): number =>
      adapterFolderSize('t', { modules: [{ ...q!, rank }], otherBytes: 0 })[1]!.bytes;
    expect(size(3) - size(2)).toBe(tripletBytes(q!));
  });

  it('has scale 1 in every module: alpha is the rank', () => {
    const config = adapterConfig({ modules: MODULES.filter(({ rank }) => rank > 0) });
    expect(config).toMatchObject({ r: 3, lora_alpha: 3, rank_pattern: { 'encoder.v': 1 } });
    expect(config.alpha_pattern).toEqual(config.rank_pattern);
  });

  it('can be loaded where no module keeps a triplet: PEFT refuses an empty list', () => {
    const { target_modules: modules } = adapterConfig({ modules: [] });
    expect(modules).toBe('dummy-target-modules');
  });
});
