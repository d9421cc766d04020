/** What only an engine on a device does: batches, slices, weights that stay there, its limits. */
import { describe, expect, test } from 'vitest';
import { openDevice } from '@/gpu/device';
import { denseDelta } from '@/reference/low-rank-delta';
import { createGpuEngine } from '@/kernels/engine';
import { useEngine } from '@/kernels/test-device';
import { difference, fakeProduct, frobenius, tolerance } from './test-low-rank';
import { checkProduct, GPU_CASES, PRODUCTS } from './low-rank-products.fixture';
import { readGpuWeights } from '@/kernels/test-readback';

describe.each(GPU_CASES)('on the GPU: $name', (engineCase) => {
  const engine = useEngine(engineCase);

  test('as many dispatches for 60 products as for 3', async () => {
    const counts = [];
    for (const count of [3, 60]) {
      const products = Array.from({ length: count }, (_, i) =>
        fakeProduct(i, 20 + (i % 5), 25, [{ rank: [4, 18, 36][i % 3]! }]),
      );
      const group = engine().createLowRankGroup(products);
      counts.push((await group.factorize()).dispatches);
      group.dispose();
    }
    expect(counts[0]).toBe(counts[1]);
  });

  test('one panel and cores in workgroup memory take nine dispatches', async () => {
    const products = Array.from({ length: 12 }, (_, i) => fakeProduct(i, 30, 25, [{ rank: 16 }]));
    const group = engine().createLowRankGroup(products);
    expect((await group.factorize()).dispatches).toBe(9);
    group.dispose();
  });

  test('weights on the GPU equal those in memory', async () => {
    const products = [PRODUCTS['several terms']!, PRODUCTS['1 x n']!];
    const group = engine().createLowRankGroup(products);
    await group.factorize();
    const additions = products.flatMap(({ rows, columns }, product) => {
      const base = Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i));
      const form = { kind: 'truncated', rank: 1 } as const;
      return [
        { product, form: { kind: 'terms' } as const, base },
        { product, form, base },
      ];
    });
    const inMemory = await group.add(additions, 'cpu');
    const onGpu = await group.add(additions, 'gpu');
    // Bases that lie on the GPU already.
    const again = await group.add(
      additions.map((addition, i) => ({ ...addition, base: onGpu.data[i]! })),
      'gpu',
    );
    for (const [i, { base }] of additions.entries()) {
      const wanted = inMemory.data[i] as Float32Array;
      const got = await readGpuWeights(engine(), onGpu.data[i] as GPUBuffer, base.length);
      expect(got).toEqual(wanted);
      const twice = await readGpuWeights(engine(), again.data[i] as GPUBuffer, base.length);
      const wantedTwice = wanted.map((value, at) => 2 * value - base[at]!);
      expect(frobenius(difference(twice, wantedTwice))).toBeLessThan(
        tolerance(23) * frobenius(wanted),
      );
    }
    inMemory.dispose();
    onGpu.dispose();
    again.dispose();
    group.dispose();
  });
});

describe('with small bindings', () => {
  const LEAST_BINDING = 20_000;
  const engine = useEngine({
    name: 'small bindings',
    open: async () => {
      const handle = await openDevice();
      const limits = new Proxy(handle.device.limits, {
        get: (target, key) =>
          key === 'maxStorageBufferBindingSize'
            ? LEAST_BINDING
            : (Reflect.get(target, key, target) as unknown),
      });
      Object.defineProperty(handle.device, 'limits', { value: limits });
      return { engine: createGpuEngine(handle), handle };
    },
  });

  test('products go in several batches, weights in slices of rows', async () => {
    const shapes = [40, 200, 60, 130, 21];
    const products = shapes.map((rows, i) => fakeProduct(60 + i, rows, 30, [{ rank: 4 + i }]));
    const group = engine().createLowRankGroup(products);
    expect((await group.factorize()).dispatches).toBeGreaterThan(9);
    for (const [index, { name }] of products.entries()) await checkProduct(group, index, name);
    const form = { kind: 'terms' } as const;
    const additions = products.map(({ rows, columns }, product) => {
      return { product, form, base: new Float32Array(rows * columns) };
    });
    const added = await group.add(additions, 'cpu');
    for (const [i, product] of products.entries()) {
      const delta = denseDelta(product);
      const error = frobenius(difference(added.data[i] as Float32Array, delta));
      expect(error).toBeLessThan(tolerance(8) * frobenius(delta));
    }
    group.dispose();
  });

  test('a product too large for any is refused by name', () => {
    const large = fakeProduct(70, 500, 400, [{ rank: 9 }]);
    expect(() => engine().createLowRankGroup([large])).toThrow(/"500 x 400, seed 70".*20000/);
  });
});
