import { describe, expect, it } from 'vitest';
import { PeruError } from '@/core/errors';
import { encodeFloats } from '@/tensor/half';
import { type FloatDtype } from '@/tensor/dtype';
import { type StoredTensor } from '@/tensor/checkpoint-tensors';
import { type AdapterModule, type PlannedAdapter } from './adapter-plan';
import { readProducts } from './read-products';

/** A tensor that starts at an odd byte of its file. */
function stored(name: string, dtype: FloatDtype, shape: number[], values: number[]): StoredTensor {
  const bytes = encodeFloats(Float32Array.from(values), dtype);
  const elementCount = values.length;
  const { byteLength } = bytes;
  const source = new Blob([new Uint8Array(3), bytes, new Uint8Array(2)]);
  return {
    name,
    dtype,
    shape,
    elementCount,
    byteStart: 3,
    byteLength,
    fileName: 'a.safetensors',
    source,
  };
}

function module(weight: string, b: number[], dtype: FloatDtype = 'F32', scale = 2): AdapterModule {
  return {
    weight,
    rows: 2,
    columns: 3,
    layer: 'linear',
    rank: 1,
    scale,
    left: { tensor: stored('B', dtype, [2, 1], b), vectors: 'columns' },
    right: { tensor: stored('A', dtype, [1, 3], [1, 2, 3]), vectors: 'rows' },
  };
}

function adapter(...modules: AdapterModule[]): Pick<PlannedAdapter, 'name' | 'modules'> {
  return { name: 'task', modules };
}

describe('readProducts', () => {
  it("reads the factors in their file's dtype, unconverted, and counts their bytes", async () => {
    let read = 0;
    const products = await readProducts(adapter(module('w', [4, 5], 'BF16')), {
      onBytes: (count) => (read += count),
    });
    expect(products).toMatchObject([
      { name: 'w', rows: 2, columns: 3, terms: [{ rank: 1, coefficient: 2 }] },
    ]);
    const { left, right } = products[0]!.terms[0]!;
    expect(left).toEqual({
      dtype: 'BF16',
      vectors: 'columns',
      bytes: encodeFloats(Float32Array.of(4, 5), 'BF16'),
    });
    expect(right.bytes).toEqual(encodeFloats(Float32Array.of(1, 2, 3), 'BF16'));
    expect(left.bytes.byteOffset).toBe(0);
    expect(read).toBe(4 + 6);
  });

  it.each(['F32', 'F16', 'BF16'] as const)(
    'refuses %s factors of 0 and -0 throughout',
    async (d) => {
      const untrained = adapter(module('v', [0, -0], d), module('w', [-0, 0], d));
      await expect(readProducts(untrained)).rejects.toMatchObject({
        kind: 'mismatch',
        message: expect.stringMatching(/task changes nothing: in all its 2 modules/) as string,
      });
    },
  );

  it.each(['F32', 'F16', 'BF16'] as const)('takes the smallest %s for a change', async (dtype) => {
    // The smallest subnormal has the same bytes as -0, in the other order.
    for (const bytes of [[1], [0x80], [0, 0x40], [0, 1]]) {
      const zero = module('w', [0, 0], dtype);
      const width = dtype === 'F32' ? 8 : 4;
      const data = new Uint8Array(width);
      data.set(bytes);
      const tensor = { ...zero.left.tensor, source: new Blob([data]), byteStart: 0 };
      const changed = { ...zero, left: { ...zero.left, tensor } };
      await expect(readProducts(adapter(changed))).resolves.toHaveLength(1);
    }
  });

  it('allows single modules without a change, and refuses a scale of 0 throughout', async () => {
    const zero = module('v', [0, 0]);
    await expect(readProducts(adapter(zero, module('w', [0, 1])))).resolves.toHaveLength(2);
    await expect(readProducts(adapter(module('w', [1, 1], 'F32', 0)))).rejects.toThrow(PeruError);
  });

  it('says which file could not be read', async () => {
    const whole = module('w', [1, 1]);
    const tensor = { ...whole.left.tensor, source: new Blob([]) };
    const cut = { ...whole, left: { ...whole.left, tensor } };
    await expect(readProducts(adapter(cut))).rejects.toThrow(/a\.safetensors could not be read/);
  });

  it('stops when told to', async () => {
    const controller = new AbortController();
    controller.abort();
    const reading = readProducts(adapter(module('w', [1, 1])), { signal: controller.signal });
    await expect(reading).rejects.toThrow(/abort/i);
  });
});
