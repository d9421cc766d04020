import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readSafetensorsHeader } from '@/tensor/safetensors';
import { sortedNames } from '@/formats/lora/merged-products';
import { MERGED_INDEX, mergedFileSizes, mergedIndex, mergedShards } from './merged-size';

const file = readFileSync(new URL('../tensor/golden/clip-shaped.safetensors', import.meta.url));
const base = await readSafetensorsHeader(new Blob([file]), 'base');
const recipeJson = '{"mergeMethod":"simple-average"}';

const mergedHeader = (spec: Parameters<typeof mergedShards>[0]) => mergedShards(spec)[0]!.header;

describe('one file of a merged model', () => {
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
    expect(mergedFileSizes(spec)[0]!.bytes - mergedHeader(spec).bytes.length).toBe(dataBytes);
  });

  it('halves the data of what is written as F16', () => {
    const dtypeOf = (name: string) => (name.endsWith('bias') ? undefined : ('F16' as const));
    const { bytes, fileBytes } = mergedHeader({ baseTensors: base.tensors, dtypeOf, recipeJson });
    expect(fileBytes - bytes.length).toBe(4 * 2 + 4 * 2 + 4 * 4);
  });
});

/** Tensors of these many bytes. */
const bytesOf = (...sizes: number[]) =>
  new Map(sizes.map((size, i) => [`t${i}`, { dtype: 'U8', shape: [size] } as const]));

describe('shards of a merged model', () => {
  it('are cut, in order, where the next tensor would make a file too large', () => {
    const baseTensors = bytesOf(4, 4, 2, 0, 11, 1, 9, 10);
    const shards = mergedShards({ baseTensors, recipeJson, maxShardBytes: 10 });
    expect(shards.map(({ entries }) => entries.map(({ name }) => name))).toEqual([
      ['t0', 't1', 't2', 't3'],
      ['t4'],
      ['t5', 't6'],
      ['t7'],
    ]);
    expect(shards.map(({ name }) => name)).toEqual(
      [1, 2, 3, 4].map((n) => `merged-0000${n}-of-00004.safetensors`),
    );
  });

  it('are one file under a plain name where all fits', () => {
    for (const baseTensors of [bytesOf(), bytesOf(10), bytesOf(4, 6)]) {
      const shards = mergedShards({ baseTensors, recipeJson, maxShardBytes: 10 });
      expect(shards.map(({ name }) => name)).toEqual(['merged.safetensors']);
      expect(shards[0]!.entries).toHaveLength(baseTensors.size);
    }
  });

  it('are mapped by an index that names every tensor once, sorted, and all their bytes', () => {
    const names = ['z', '10', '9', 'a.b', 'ä', '"', '__proto__'];
    const baseTensors = new Map(names.map((name) => [name, { dtype: 'F32', shape: [2] } as const]));
    const shards = mergedShards({ baseTensors, recipeJson, maxShardBytes: 16 });
    const text = mergedIndex(shards);
    const index = JSON.parse(text) as { metadata: object; weight_map: object };
    expect(index.metadata).toEqual({ total_size: 8 * names.length });
    const keys = [...text.matchAll(/^ {4}("(?:[^"\\]|\\.)*"): "merged/gm)].map(([, key]) => {
      return JSON.parse(key!) as string;
    });
    expect(keys).toEqual(sortedNames(names));
    for (const { name: file, entries } of shards) {
      for (const { name } of entries) {
        expect(Object.getOwnPropertyDescriptor(index.weight_map, name)?.value).toBe(file);
      }
    }
  });

  it('have copies named by the index, so that they can follow what is applied', () => {
    const shards = mergedShards({ baseTensors: bytesOf(4, 7), recipeJson });
    const tied = new Map([
      ['z "copy"', 'a'],
      ['b', 'a'],
    ]);
    const { metadata } = JSON.parse(mergedIndex(shards, tied)) as { metadata: { tied: object } };
    expect(Object.entries(metadata.tied)).toEqual([
      ['b', 'a'],
      ['z "copy"', 'a'],
    ]);
  });

  it('have the sizes that are told', () => {
    const spec = { baseTensors: bytesOf(4, 7), recipeJson, maxShardBytes: 10 };
    const sizes = mergedFileSizes(spec);
    expect(sizes.map(({ name }) => name)).toEqual([
      'merged-00001-of-00002.safetensors',
      'merged-00002-of-00002.safetensors',
      MERGED_INDEX,
    ]);
    const headers = mergedShards(spec).map(({ header }) => header.bytes.length);
    expect(sizes[0]!.bytes).toBe(headers[0]! + 4);
    expect(sizes[1]!.bytes).toBe(headers[1]! + 7);
    expect(sizes[2]!.bytes).toBe(mergedIndex(mergedShards(spec)).length);
  });
});
