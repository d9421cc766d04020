import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readSafetensorsHeader } from '@/tensor/safetensors';
import { mergedFileBytes, mergedHeader } from './merged-size';

const file = readFileSync(new URL('../tensor/golden/clip-shaped.safetensors', import.meta.url));
const base = await readSafetensorsHeader(new Blob([file]), 'base');
const recipeJson = '{"mergeMethod":"simple-average"}';

describe('mergedHeader', () => {
  it("keeps the base's names, order, shapes and dtypes, and carries the recipe", async () => {
    const { bytes, fileBytes } = mergedHeader({ baseTensors: base.tensors, recipeJson });
    const blob = new Blob([bytes, new Uint8Array(fileBytes - bytes.length)]);
    const header = await readSafetensorsHeader(blob, 'merged');
    const facts = (tensors: typeof base.tensors) =>
      [...tensors.values()].map(({ name, dtype, shape }) => [name, dtype, shape]);
    expect(facts(header.tensors)).toEqual(facts(base.tensors));
    expect(header.metadata.get('peru')).toBe(recipeJson);
    // transformers refuses files whose metadata do not say which framework they are for.
    expect(header.metadata.get('format')).toBe('pt');
  });

  it('differs from the base by the header alone where no dtype changes', () => {
    const spec = { baseTensors: base.tensors, recipeJson };
    const dataBytes = base.byteLength - base.dataStart;
    expect(mergedFileBytes(spec) - mergedHeader(spec).bytes.length).toBe(dataBytes);
  });

  it('halves the data of what is written as F16', () => {
    const dtypeOf = (name: string) => (name.endsWith('bias') ? undefined : ('F16' as const));
    const { bytes, fileBytes } = mergedHeader({ baseTensors: base.tensors, dtypeOf, recipeJson });
    expect(fileBytes - bytes.length).toBe(4 * 2 + 4 * 2 + 4 * 4);
  });
});
