import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readSafetensorsHeader, readTensorBytes } from './safetensors';

/** What scripts/make_safetensors_golden.py wrote beside each file. */
interface GoldenFacts {
  readonly metadata: Readonly<Record<string, string>>;
  readonly file_bytes: number;
  readonly tensors: Readonly<
    Record<
      string,
      { readonly shape: string; readonly element_count: number; readonly sha256: string }
    >
  >;
}

const folder = new URL('./golden/', import.meta.url);
const names = readdirSync(folder).filter((name) => name.endsWith('.safetensors'));

describe('files written by the reference package', () => {
  it('are there', () => {
    expect(names.length).toBeGreaterThanOrEqual(4);
  });

  it.each(names)('%s reads as torch wrote it', async (name) => {
    const blob = new Blob([readFileSync(new URL(name, folder))]);
    const text = readFileSync(new URL(name.replace('.safetensors', '.json'), folder), 'utf8');
    const facts = JSON.parse(text) as GoldenFacts;
    const header = await readSafetensorsHeader(blob, name);
    expect(Object.fromEntries(header.metadata)).toEqual(facts.metadata);
    expect(header.byteLength).toBe(facts.file_bytes);
    expect([...header.tensors.keys()].sort()).toEqual(Object.keys(facts.tensors).sort());
    for (const [tensor, { shape, element_count, sha256 }] of Object.entries(facts.tensors)) {
      const info = header.tensors.get(tensor)!;
      expect(String(info.shape)).toBe(shape);
      expect(info.elementCount).toBe(element_count);
      const bytes = await readTensorBytes(blob, header, tensor);
      expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256);
    }
  });
});
